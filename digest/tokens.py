"""Signed tokens for links, sessions and forms: each has one purpose and can do nothing else.

HMAC-SHA-256 by itsdangerous over purpose, subject and time of issue. The same input gives the same
token, so that a mail that is made again has the same bytes. The first secret signs, all verify.
Whether a token is too old is asked by whoever reads it: `Issued.at` is the time to ask about.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode

from digest.errors import ConfigError
from digest.model import PersonalLinks

UNSUBSCRIBE = "unsubscribe"
MANAGE = "manage"
CONFIRM = "confirm"
SESSION = "session"
FORM = "form"
TUNE = "tune"
FEED = "feed"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Issued:
    """What a timed token says: whom or what it is about, and when it was issued (whole seconds)."""

    subject: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Marked:
    """What the token of a bounce address says: the row of the mail, and of which kind it is.

    `kind` is `d` for a digest, `l` for a letter. `mark` is the mail's own: a number may be given
    again to another row, after a backup was restored for one.
    """

    kind: str
    number: int
    mark: bytes

    def fits(self, message_id: str) -> bool:
        """Whether the row is still that of the mail which the token was made for."""
        return hmac.compare_digest(self.mark, mark_of(message_id))


class _Signer(Signer):
    """Signs for one purpose; its key is derived once, not for each token."""

    @cached_property
    def _newest(self) -> bytes:
        return super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        """The key of a secret, else of the newest one."""
        return self._newest if secret_key is None else super().derive_key(secret_key)


class _Serializer(URLSafeSerializer):
    """The same tokens in a third of the time: a mail has three of them."""

    @cached_property
    def _signer(self) -> Signer:
        return super().make_signer()

    def make_signer(self, salt: str | bytes | None = None) -> Signer:
        """What signs, and what the one who asks may not change."""
        return self._signer

    def dump_payload(self, obj: Any) -> bytes:
        """A number or two in JSON: to try to compress it takes longer than to sign it."""
        return base64_encode(json.dumps(obj, separators=(",", ":")))


def mark_of(message_id: str) -> bytes:
    """What a token keeps of a Message-ID, which is random itself."""
    return hashlib.sha256(message_id.encode()).digest()[:4]


class Tokens:
    """Makes and reads tokens; `keys` are secrets, the newest first, at least one."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of a list.
        self._keys = list(reversed(keys))
        self._serializer = cache(self._make_serializer)  # one for each of a few purposes

    def _make_serializer(self, purpose: str) -> URLSafeSerializer:
        return _Serializer(
            self._keys,
            salt=purpose,
            signer=_Signer,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def unsubscribe(self, subscriber_id: int) -> str:
        """The token that unsubscribes; it never expires, since old mails must stay leavable."""
        return str(self._serializer(UNSUBSCRIBE).dumps(subscriber_id))

    def read_unsubscribe(self, token: str) -> int | None:
        """The subscriber of an unsubscribe token, or None when it is not one of ours."""
        subject = self._read(UNSUBSCRIBE, token)
        return subject if isinstance(subject, int) else None

    def manage(self, subscriber_id: int, issued_at: datetime) -> str:
        """The token that opens the preferences for a while after `issued_at`."""
        return self.issue(MANAGE, subscriber_id, issued_at)

    def issue(self, purpose: str, subject: int, issued_at: datetime) -> str:
        """A token for one purpose that tells whom it is about and when it was issued."""
        return str(self._serializer(purpose).dumps([subject, int(issued_at.timestamp())]))

    def read(self, purpose: str, token: str) -> Issued | None:
        """What a timed token says, however old, or None when it is not one of ours."""
        match self._read(purpose, token):
            case [int(subject), int(seconds)]:
                return Issued(subject, datetime.fromtimestamp(seconds, UTC))
        return None

    def fingerprint(self, text: str) -> str:
        """A keyed hash: the same text gives the same, and the text cannot be guessed from it."""
        return self.fingerprints(text)[0]

    def fingerprints(self, text: str) -> list[str]:
        """The same by every key, the newest first: as what was kept before a key came is known."""
        said = f"fingerprint\0{text}".encode()
        keys = reversed(self._keys)
        return [hmac.new(key.encode(), said, hashlib.sha256).hexdigest() for key in keys]

    def address(self, email: str) -> str:
        """The keyed hash by which letters to an address are counted, in whatever case it comes."""
        return self.fingerprint(f"address {email.casefold()}")

    def api_key_names(self, key: str) -> list[str]:
        """What the store may know a key of the API by, one name for each secret."""
        return self.fingerprints(f"api {key}")

    def bounce(self, kind: str, number: int, message_id: str) -> str:
        """The token in the address that a mail's bounces go to: 32 letters and digits.

        Mail systems change the case of addresses, so there is one case only. 80 bits are signed,
        as an address has no room for more and each guess is a mail.
        """
        said = kind.encode() + number.to_bytes(5, "big") + mark_of(message_id)
        signature = _signature(self._keys[-1], said)
        return base64.b32encode(said + signature).decode().lower()

    def read_bounce(self, token: str) -> Marked | None:
        """What such a token says, in any case, or None when it is not one of ours."""
        try:
            octets = base64.b32decode(token.upper())
        except (binascii.Error, ValueError):
            return None
        said, signature = octets[:10], octets[10:]
        if not any(hmac.compare_digest(signature, _signature(key, said)) for key in self._keys):
            return None
        return Marked(chr(said[0]), int.from_bytes(said[1:6], "big"), said[6:])

    def _read(self, purpose: str, token: str) -> object:
        """What was signed for this purpose, or None."""
        try:
            # Base64 of 32 octets has spare bits: a token is valid in one spelling only.
            signature = token.rpartition(".")[2]
            if base64_encode(base64_decode(signature)).decode() != signature:
                return None
            signed: object = self._serializer(purpose).loads(token)
        except (BadData, ValueError):
            return None
        return signed

    def links(self, base_url: str, subscriber_id: int, issued_at: datetime) -> PersonalLinks:
        """The links of one subscriber's mail under the configured base URL.

        All tuning links of a mail share one token; what it opens ends when the preferences' does.
        """
        base = base_url.rstrip("/")
        return PersonalLinks(
            manage=f"{base}/preferences/{self.manage(subscriber_id, issued_at)}",
            unsubscribe=f"{base}/unsubscribe/{self.unsubscribe(subscriber_id)}",
            tune=f"{base}/tune/{self.issue(TUNE, subscriber_id, issued_at)}",
        )


API_PREFIX = "digest_"
"""What every key of the API begins with, so that scanners for leaked keys find it."""


def new_api_key() -> str:
    """A key for a program: 192 random bits behind `API_PREFIX`."""
    return API_PREFIX + secrets.token_urlsafe(24)


def _signature(key: str, said: bytes) -> bytes:
    return hmac.new(key.encode(), b"bounce\0" + said, hashlib.sha256).digest()[:10]


def read_keys(path: Path) -> list[str]:
    """The secrets in a file, one a line, the newest first; the file is made where it is missing.

    Raises: ConfigError when the file is empty or cannot be read.
    """
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(SECRET_BYTES) + "\n", "ascii")
        keys = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: the secret file cannot be used: {error}"]) from error
    if not keys:
        raise ConfigError([f"{path}: the secret file is empty; delete it and a new one is made"])
    return keys
