"""What every place has in common: whom mail is handed to, how much of it, and its one error."""

from __future__ import annotations

from collections.abc import Callable

from digest.errors import DigestError

Taker = Callable[[bytes, str], object]
"""(the mail, the address that it came to or empty) -> whatever; it is safe to call twice.

Raises: DigestError when it must be handed over again, later.
"""

Known = Callable[[str], bool]
"""Whether mail to an address is taken. Raises: DigestError."""

MAX_BYTES = 256 * 1024
"""What is handed over of a mail; a report says its piece before it returns the mail."""

MOST = 500
"""Mails of one visit; the rest waits for the next."""


class PostboxError(DigestError):
    """A place where mail arrives cannot be read; the message says which and why."""
