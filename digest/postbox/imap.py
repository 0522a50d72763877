"""Mail out of an IMAP mailbox: what was handed over is moved away, or marked as seen.

The certificate is always checked. Source: RFC 9051, RFC 6851 (MOVE), RFC 4315 (UIDPLUS).
"""

from __future__ import annotations

import imaplib
import json
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digest.errors import DigestError
from digest.postbox.taking import MAX_BYTES, MOST, PostboxError, Taker

logger = logging.getLogger("digest")

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox and who we are there; `tls` is `tls`, `starttls` or `none`."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: str = "tls"
    folder: str = "INBOX"
    done_folder: str = ""
    ca_file: Path | None = None


def empty_mailbox(account: Account, take: Taker) -> int:
    """Hand over what is new in a mailbox, the oldest first; returns how many mails.

    Without a folder for what is done, new is what nobody has seen.
    Raises: PostboxError; DigestError of the taker, and the rest stays.
    """
    with _worded(account), _session(account) as imap:
        if account.done_folder:
            imap.create(_quoted(account.done_folder))  # it is there already, or the move will tell
        _expect(imap.select(_quoted(account.folder)), "SELECT")
        criteria = "UNDELETED" if account.done_folder else "UNSEEN UNDELETED"
        found = _expect(imap.uid("SEARCH", criteria), "SEARCH")
        numbers = (found[0] or b"").decode("ascii").split()[:MOST]
        for number in numbers:
            raw = _fetch(imap, number)
            if raw is not None:
                _hand_over(raw, take, number)
                _let_go(imap, number, account.done_folder)
    return len(numbers)


def _hand_over(raw: bytes, take: Taker, number: str) -> None:
    """Give a mail to the taker; one that breaks it is let go of like any other, with its trace."""
    try:
        take(raw, "")
    except DigestError:
        raise
    except Exception:
        logger.exception("postbox.broke %s", json.dumps({"mail": number}))


def _fetch(imap: imaplib.IMAP4, number: str) -> bytes | None:
    """The first part of a mail, unseen as before; None when it has gone meanwhile."""
    found = _expect(imap.uid("FETCH", number, f"(BODY.PEEK[]<0.{MAX_BYTES}>)"), "FETCH")
    return next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)


def _let_go(imap: imaplib.IMAP4, number: str, done_folder: str) -> None:
    if not done_folder:
        _expect(imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"), "STORE")
        return
    if "MOVE" in imap.capabilities:
        _expect(imap.uid("MOVE", number, _quoted(done_folder)), "MOVE")
        return
    _expect(imap.uid("COPY", number, _quoted(done_folder)), "COPY")
    _expect(imap.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)"), "STORE")
    if "UIDPLUS" in imap.capabilities:  # a plain EXPUNGE would take what others have marked
        _expect(imap.uid("EXPUNGE", number), "EXPUNGE")


@contextmanager
def _session(account: Account) -> Iterator[imaplib.IMAP4]:
    """A connection, logged in. Raises: OSError, imaplib.IMAP4.error."""
    context = ssl.create_default_context(cafile=account.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    imap: imaplib.IMAP4
    if account.tls == "tls":
        imap = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=TIMEOUT_S)
    else:
        imap = imaplib.IMAP4(account.host, account.port, timeout=TIMEOUT_S)
    try:
        if account.tls == "starttls":
            imap.starttls(context)
        imap.login(account.username, account.password)
        yield imap
        imap.logout()
    finally:
        with suppress(OSError):  # closed already
            imap.shutdown()


@contextmanager
def _worded(account: Account) -> Iterator[None]:
    """Put what a server or the network does into one line, without the password."""
    place = f"the mailbox of {account.username} at {account.host} port {account.port}"
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        shown = reason.replace(account.password, "***") if account.password else reason
        raise PostboxError(f"{place}: {' '.join(shown.split())[:300]}") from None


def _expect(answer: tuple[str, Any], command: str) -> list[Any]:
    """What the server gave. Raises: imaplib.IMAP4.error when it refused."""
    status, given = answer
    if status != "OK":
        words = given[0].decode("ascii", "replace") if given and given[0] else status
        raise imaplib.IMAP4.error(f"{command} was refused: {words}")
    return list(given)


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
