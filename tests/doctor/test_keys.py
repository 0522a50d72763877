"""The public halves of our keys in DNS, on recorded answers."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest.dkim import Key
from digest.doctor.finding import Finding, Level
from digest.doctor.keys import key_finding
from tests.dns_server import lookups

RSA = Key("digest", generate_private_key(public_exponent=65537, key_size=2048))
OTHER = Key("digest", generate_private_key(public_exponent=65537, key_size=2048))
ED25519 = Key("digest", Ed25519PrivateKey.generate())


def judged(key: Key, *records: str) -> Finding:
    """The finding on a key with these TXT records."""

    async def run() -> Finding:
        cut = [
            " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
            for text in records
        ]
        zone = {"digest._domainkey.example.org TXT": cut} if records else {}
        async with lookups(zone) as names:
            return await key_finding(names, "example.org", key)

    return asyncio.run(run())


def pkcs1(key: Key) -> str:
    """The older form of an RSA key's public half."""
    public = key.private.public_key()
    assert isinstance(public, RSAPublicKey)
    return b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_a2_our_own_record_is_good(key: Key) -> None:
    """As `digest dkim-key` shows it, whatever strings it is cut into."""
    assert judged(key, key.record).level is Level.OK


@pytest.mark.parametrize(
    "record",
    [
        RSA.record.replace("v=DKIM1; ", "").replace("k=rsa; ", ""),
        RSA.record.replace("p=", "h=sha1:sha256; s=email; t=s; p = "),
        f"v=DKIM1; p={pkcs1(RSA)}",
    ],
)
def test_a2_other_ways_to_write_it_are_good(record: str) -> None:
    """Defaults left out, blanks, flags that do no harm, and the older form of a key."""
    assert judged(RSA, record).level is Level.OK


def test_a2_no_record_brings_the_one_to_publish() -> None:
    """As a line of a zone file, in strings of at most 255 octets."""
    found = judged(RSA)
    assert found.level is Level.ERROR
    assert found.do.startswith('publish: digest._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; p=')
    strings = found.do.partition(" IN TXT ")[2].strip('"').split('" "')
    assert "".join(strings) == RSA.record
    assert max(map(len, strings)) <= 255


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (OTHER.record, "another key"),
        (ED25519.record, "of kind ed25519"),
        ("v=DKIM1; k=rsa; p=", "revoked"),
        ("v=DKIM1; k=rsa; p=not base64!", "another key"),
        (RSA.record.replace("DKIM1", "DKIM2"), "version"),
        (RSA.record + "; h=sha1", "h=sha1"),
        (RSA.record + "; s=tlsrpt", "not for mail"),
    ],
    ids=["other", "ed25519", "revoked", "no base64", "version", "h", "s"],  # keys are made anew
)
def test_a2_a_record_that_is_not_our_keys(record: str, said: str) -> None:
    """Each is an error, with the right record beside it."""
    found = judged(RSA, record)
    assert found.level is Level.ERROR
    assert said in found.found
    assert RSA.record[:200] in found.do


def test_a2_signing_on_trial_is_a_warning() -> None:
    """With t=y receivers may treat the mail as unsigned."""
    assert judged(RSA, RSA.record.replace("p=", "t=y:s; p=")).level is Level.WARNING


def test_a2_two_keys_under_one_selector() -> None:
    """Receivers may take either."""
    assert judged(RSA, RSA.record, OTHER.record).level is Level.ERROR
