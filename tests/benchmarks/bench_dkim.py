"""What a signature costs: ours beside dkimpy's, on one mail of about 40 KB.

`python -m tests.benchmarks.bench_dkim [ROUNDS]` prints the best and the median microseconds a mail,
how many times as long dkimpy takes, and what OpenSSL alone needs. The rounds are interleaved, so
that a busy machine slows all of them alike.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from statistics import median
from time import perf_counter

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from digest.dkim import SIGNED, Key, Signer, make_pem
from digest.model import Listing
from tests.renderer.mails import LISTING, NOW, digest, match, render

PEM = {kind: make_pem(kind) for kind in ("rsa", "ed25519")}
OURS_A_ROUND, THEIRS_A_ROUND = 20, 2
"""Mails a round, so that a round of either takes about as long."""


def mail() -> bytes:
    """A mail of about 40 KB; no two of its listings are alike."""
    made: list[Listing] = []
    while (
        len(raw := render(digest(*(match(title=one.title) for one in made or [LISTING]))).raw)
        < 40e3
    ):
        made.append(replace(LISTING, title=f"Draft Models “{len(made)}” for Speculative Decoding"))
    return raw


def key(kind: str) -> Key:
    """Our form of a key."""
    private = load_pem_private_key(PEM[kind], password=None)
    assert isinstance(private, RSAPrivateKey | Ed25519PrivateKey)
    return Key(kind, private)


def peer_key(one: Key) -> bytes:
    """Dkimpy's form of the same key: PKCS 1, or the bare 32 octets in base64."""
    if isinstance(one.private, RSAPrivateKey):
        form = PrivateFormat.TraditionalOpenSSL
        return one.private.private_bytes(Encoding.PEM, form, NoEncryption())
    return b64encode(one.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))


def peer_sign(raw: bytes, kind: str, secret: bytes) -> bytes:
    """The mail's signature by dkimpy, over the same fields."""
    made: bytes = dkim.sign(
        raw,
        kind.encode(),
        b"example.org",
        secret,
        canonicalize=(b"relaxed", b"relaxed"),
        signature_algorithm=f"{kind}-sha256".encode(),
        include_headers=[name.lower().encode() for name in SIGNED],
    )
    return made


def steps(raw: bytes) -> dict[str, tuple[Callable[[], object], int]]:
    """What is measured, and how often a round: OpenSSL as the floor, ours, dkimpy's."""
    hashed = sha256(raw).digest()
    found: dict[str, tuple[Callable[[], object], int]] = {}
    for kind in PEM:
        one = key(kind)
        signer = Signer("example.org", [one])
        found[f"{kind}, OpenSSL alone"] = partial(one.sign, hashed), OURS_A_ROUND
        found[f"{kind}, ours"] = partial(signer.sign, raw, NOW), OURS_A_ROUND
        found[f"{kind}, dkimpy"] = partial(peer_sign, raw, kind, peer_key(one)), THEIRS_A_ROUND
    both = Signer("example.org", [key(kind) for kind in PEM])
    found["both, ours"] = partial(both.sign, raw, NOW), OURS_A_ROUND
    return found


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    raw = mail()
    measured = steps(raw)
    took: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(rounds):
        for name, (step, times) in measured.items():
            for _ in range(times):
                begun = perf_counter()
                step()
                took[name].append((perf_counter() - begun) * 1e6)
    print(f"{len(raw):,} bytes a mail, {rounds} rounds\n")
    print(f"{'':24}{'best µs':>10}{'median µs':>11}{'of ours':>9}")
    for name, times_us in took.items():
        ours = took[f"{name.partition(',')[0]}, ours"]
        ratio = median(times_us) / median(ours)
        print(f"{name:24}{min(times_us):>10.0f}{median(times_us):>11.0f}{ratio:>9.2f}")


if __name__ == "__main__":
    main()
