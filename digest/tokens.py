"""Signed tokens for the links in a mail: each has one purpose and can do nothing else.

HMAC-SHA-256 by itsdangerous over purpose and subscriber. The same input gives the same token, so
that a mail that is made again has the same bytes. The first secret signs, all of them verify.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from digest.errors import ConfigError
from digest.model import PersonalLinks

UNSUBSCRIBE = "unsubscribe"
MANAGE = "manage"
SECRET_BYTES = 32


class Tokens:
    """Makes and reads tokens; `keys` are secrets, the newest first, at least one."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of a list.
        self._keys = list(reversed(keys))

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._keys,
            salt=purpose,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def unsubscribe(self, subscriber_id: int) -> str:
        """The token that unsubscribes; it never expires, since old mails must stay leavable."""
        return str(self._serializer(UNSUBSCRIBE).dumps(subscriber_id))

    def manage(self, subscriber_id: int, issued_at: datetime) -> str:
        """The token that opens the preferences for a while after `issued_at`."""
        return str(self._serializer(MANAGE).dumps([subscriber_id, int(issued_at.timestamp())]))

    def read_unsubscribe(self, token: str) -> int | None:
        """The subscriber of an unsubscribe token, or None when it is not one of ours."""
        try:
            return int(self._serializer(UNSUBSCRIBE).loads(token))
        except (BadData, TypeError, ValueError):
            return None

    def links(self, base_url: str, subscriber_id: int, issued_at: datetime) -> PersonalLinks:
        """The links of one subscriber's mail under the configured base URL."""
        base = base_url.rstrip("/")
        return PersonalLinks(
            manage=f"{base}/preferences/{self.manage(subscriber_id, issued_at)}",
            unsubscribe=f"{base}/unsubscribe/{self.unsubscribe(subscriber_id)}",
        )


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
