"""Whether DNS holds the public half of each key that signs (A2).

Source: RFC 6376 3.6.1 (the record) and 6.1.2 (how it is read), RFC 8463 (Ed25519).
"""

from __future__ import annotations

import binascii
from base64 import b64decode

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from digest.dkim import Key
from digest.doctor.finding import Finding, error, fine, warning
from digest.doctor.lookups import Lookups
from digest.doctor.tags import read_tags, zone_line


async def key_finding(names: Lookups, domain: str, key: Key) -> Finding:
    """Whether the record of a key's selector is there and is that of the key.

    Raises: SilentError.
    """
    place = f"{key.selector}._domainkey.{domain}"
    records = [text for text in await names.texts(place) if "p=" in text.replace(" ", "")]
    publish = f"publish: {zone_line(place, 'TXT', key.record)}"
    if not records:
        return error("dns.dkim", f"there is no key at {place}", publish)
    if len(records) > 1:
        found = f"there are {len(records)} keys at {place}; receivers may take either or none"
        return error("dns.dkim", found, f"leave one there; {publish}")
    tags = read_tags(records[0])
    if fault := _fault(tags, key):
        return error("dns.dkim", f"{place} {fault}", publish)
    if "y" in tags.get("t", "").lower().split(":"):
        return warning(
            "dns.dkim",
            f"{place} says that signing is on trial (t=y): receivers may pass over it",
            publish,
        )
    return fine("dns.dkim", f"{place} is the public half of our {key.kind} key")


def _fault(tags: dict[str, str], key: Key) -> str:
    """What is wrong with a record, or empty."""
    held = "".join(tags.get("p", "").split())
    kind = tags.get("k", "rsa").lower()
    hashes, services = tags.get("h", "sha256"), tags.get("s", "*")
    faults = [
        (tags.get("v", "DKIM1") != "DKIM1", "is of a version that nobody knows (v=)"),
        (not held, "is revoked: its p= is empty"),
        (kind != key.kind, f"is for a key of kind {kind}, ours is {key.kind}"),
        (not _is_of(held, key), "is the public half of another key"),
        ("sha256" not in hashes.lower().split(":"), f"allows only h={hashes}, we use sha256"),
        (not {"*", "email"} & set(services.lower().split(":")), f"is not for mail: s={services}"),
    ]
    return next((told for wrong, told in faults if wrong), "")


def _is_of(held: str, key: Key) -> bool:
    """Whether the p= of a record is a key's public half; RSA keys have two forms in use."""
    try:
        octets = b64decode(held, validate=True)
    except (binascii.Error, ValueError):
        return False
    public = key.private.public_key()
    if isinstance(public, RSAPublicKey):
        forms = (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1)
        return octets in {public.public_bytes(Encoding.DER, form) for form in forms}
    return octets == public.public_bytes(Encoding.Raw, PublicFormat.Raw)
