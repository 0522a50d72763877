"""Signing keys: made, read from their files, and told to DNS."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from digest.config import Dkim, read_secret
from digest.errors import ConfigError

SMALLEST, LARGEST = 2048, 4096
"""Bits of an RSA key: less is weak, and nobody has to check more. Source: RFC 8301 3.2."""

NAMES = {"rsa": "RSA", "ed25519": "Ed25519"}
"""The kinds of keys as people write them."""


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and the selector under which DNS holds its public half."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def kind(self) -> str:
        """`rsa` or `ed25519`, as DNS and signatures name it."""
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    @property
    def record(self) -> str:
        """The TXT record of the public half. Source: RFC 6376 3.6.1, RFC 8463 4."""
        public = self.private.public_key()
        if self.kind == "rsa":
            data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            data = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k={self.kind}; p={b64encode(data).decode('ascii')}"

    def sign(self, hashed: bytes) -> bytes:
        """The signature of a SHA-256 hash; the same hash gives the same signature."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(hashed, PKCS1v15(), Prehashed(SHA256()))
        return self.private.sign(hashed)


def make_pem(kind: str) -> bytes:
    """A new private key of that kind as PEM; RSA has 2048 bits."""
    made = (
        generate_private_key(public_exponent=65537, key_size=SMALLEST)
        if kind == "rsa"
        else Ed25519PrivateKey.generate()
    )
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signing_keys(dkim: Dkim, place: str) -> list[Key]:
    """The keys that a config signs with. Raises: ConfigError with a line for each bad key."""
    keys, faults = [], []
    for name, selector, path, kind in _wanted(dkim):
        try:
            keys.append(read_key(path, selector, kind))
        except ConfigError as error:
            faults += [f"{place}: [dkim] {name}: {fault}" for fault in error.faults]
    if faults:
        raise ConfigError(faults)
    return keys


def _wanted(dkim: Dkim) -> Iterator[tuple[str, str, Path, str]]:
    """(name in the config, selector, file, kind) of each key."""
    yield "key_file", dkim.selector, dkim.key_file, "rsa"
    if dkim.ed25519_selector and dkim.ed25519_key_file:
        yield "ed25519_key_file", dkim.ed25519_selector, dkim.ed25519_key_file, "ed25519"


def read_key(path: Path, selector: str, kind: str = "") -> Key:
    """The key in a PEM file, of that kind where one is named.

    Raises: ConfigError when the file is missing, open to other people, or holds no such key.
    """
    try:
        private = load_pem_private_key(read_secret(path).encode(), password=None)
    except (ValueError, UnsupportedAlgorithm):
        raise _unfit(path, "no private key as PEM; `digest dkim-key` makes one") from None
    except TypeError:
        raise _unfit(path, "a key locked with a passphrase; it is needed without one") from None
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise _unfit(path, "a key of a kind that DKIM does not know: RSA and Ed25519 are")
    if isinstance(private, RSAPrivateKey) and not SMALLEST <= private.key_size <= LARGEST:
        wanted = f"{SMALLEST} to {LARGEST} are right"
        raise _unfit(path, f"an RSA key of {private.key_size} bits; {wanted}")
    key = Key(selector, private)
    if kind and kind != key.kind:
        raise _unfit(path, f"an {NAMES[key.kind]} key; this one has to be {NAMES[kind]}")
    return key


def _unfit(path: Path, what: str) -> ConfigError:
    return ConfigError([f"{path} holds {what}"])
