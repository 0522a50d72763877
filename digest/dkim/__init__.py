"""DKIM signatures over finished mails: what was signed stays byte for byte as it was.

Owns the keys, their records in DNS and the form of a signature. Reads no clock and draws no number
to sign: the same bytes, keys and time give the same signatures.
Source: RFC 6376, RFC 8301 (RSA and its sizes), RFC 8463 (Ed25519).
"""

from __future__ import annotations

from digest.dkim.keys import Key, make_pem, read_key, signing_keys
from digest.dkim.signing import SIGNED, Signer

__all__ = ["SIGNED", "Key", "Signer", "make_pem", "read_key", "signing_keys"]
