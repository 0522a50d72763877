"""Finished bytes to a mail server, and what came of it as a value: the SMTP edge.

Owns connections, TLS, AUTH and the reading of replies. Never renders, never retries and never
decides when to try again. Which command failed decides who is to blame: RCPT and the message
itself speak of this recipient, everything before them of the relay.
Source: RFC 5321 (sections 4.2, 4.5.3.2), aiosmtplib 5.1.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Protocol

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from digest.model import Deferred, Outcome, Refused, Sent, Unknown

SERVICE_CLOSING = 421
START_INPUT = 354

NO_RELAYING = re.compile(r"relay(ing)? (access )?(denied|not (permitted|allowed))", re.IGNORECASE)
POLICY = re.compile(r"^\d{3}[ -]5\.7\.\d")
"""Refusals of policy, authentication or relaying: they speak of us, so nobody is refused for good.
Source: RFC 3463 section 3.8; RFC 5248."""

UNSAFE = re.compile(r"[\x00-\x20<>\x7f]")
"""What would end the address in a command. Source: RFC 5321 section 4.1.2."""

REPLY_LENGTH = 500
"""Characters of a reply that are kept: enough for a queue id, too few to flood a log."""

Permit = Callable[[], bool]
"""Asked right before the last byte: is this mail still ours to send, and still wanted?"""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient: checked addresses, and bytes that go out as they are."""

    sender: str
    recipient: str
    raw: bytes


class Session(Protocol):
    """One line to a mail server, used by one worker at a time."""

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Send one message; never raises for anything that a server or a network does."""


class Mailer(Protocol):
    """Where mails go; `workers` is how many sessions may be open at once."""

    workers: int

    def session(self) -> AbstractAsyncContextManager[Session]:
        """A session that is closed in order at the end."""


@dataclass(frozen=True, slots=True)
class Relay:
    """The mail server that takes our mails. `tls` is `starttls`, `tls` or `none`."""

    host: str
    port: int
    tls: str = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)
    connections: int = 2
    messages_per_connection: int = 20
    # RFC 5321 section 4.5.3.2. Short waits make duplicates: the server may have the mail.
    timeout_s: float = 300
    final_timeout_s: float = 600
    rate_per_s: float | None = None


class SmtpMailer:
    """Sends through a relay by SMTP."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.workers = relay.connections
        self._next_at_s = 0.0

    async def turn(self) -> None:
        """Wait until the relay's rate lets the next message begin, over all sessions."""
        if self.relay.rate_per_s:
            at_s = max(self._next_at_s, monotonic())
            self._next_at_s = at_s + 1 / self.relay.rate_per_s
            await asyncio.sleep(at_s - monotonic())

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that connects at its first message and says QUIT at the end."""
        session = SmtpSession(self.relay, self.turn)
        try:
            yield session
        finally:
            await session.quit()


class SmtpSession:
    """One connection, opened when it is needed and renewed after so many messages."""

    def __init__(self, relay: Relay, turn: Callable[[], Awaitable[None]]) -> None:
        self._relay = relay
        self._turn = turn
        self._smtp: SMTP | None = None
        self._sent = 0

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Send one message; whatever happens comes back as a value."""
        await self._turn()
        try:
            smtp = await self._connected()
        except (SMTPException, OSError, ValueError) as error:
            await self._drop()
            return Deferred(_words(error), _code(error), relay=True)
        refusal = _unfit(smtp, envelope)
        if refusal:
            return refusal
        try:
            return await self._transact(smtp, envelope, permit)
        except (SMTPException, OSError) as error:
            await self._drop()
            return Deferred(_words(error), _code(error), relay=True)

    async def _transact(self, smtp: SMTP, envelope: Envelope, permit: Permit) -> Outcome:
        """MAIL, RCPT, DATA and the message, each reply read before the next step."""
        utf8 = not envelope.recipient.isascii()
        encoding, options = ("utf-8", ["SMTPUTF8"]) if utf8 else ("ascii", [])
        try:
            await smtp.mail(envelope.sender, options=options, encoding=encoding)
            await smtp.rcpt(envelope.recipient, encoding=encoding)
        except SMTPRecipientRefused as error:
            return await self._personal(smtp, error.code, _words(error))
        except SMTPResponseException as error:
            await self._drop()
            return Deferred(_words(error), error.code, relay=True)
        response = await smtp.execute_command(b"DATA")
        if response.code != START_INPUT:
            return await self._personal(smtp, response.code, _line(response.code, response.message))
        if not permit():
            await self._drop()  # the only way out after DATA that leaves no message behind
            return Deferred("withdrawn before the last byte: unsubscribed or taken over")
        return await self._finish(smtp, envelope.raw)

    async def _finish(self, smtp: SMTP, raw: bytes) -> Outcome:
        """Write the message and its final dot; from here on silence means that nobody knows."""
        if smtp.protocol is None:
            raise SMTPServerDisconnected("Connection lost")
        smtp.protocol.write(re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n")
        try:
            response = await smtp.protocol.read_response(timeout=self._relay.final_timeout_s)
        except (SMTPException, OSError) as error:
            await self._drop()
            return Unknown(_words(error))
        reply = _line(response.code, response.message)
        if 200 <= response.code < 300:
            self._sent += 1
            return Sent(reply)
        return await self._personal(smtp, response.code, reply)

    async def _personal(self, smtp: SMTP, code: int, reply: str) -> Outcome:
        """What a reply to RCPT, DATA or the message says of this recipient."""
        if code == SERVICE_CLOSING:
            await self._drop()
            return Deferred(reply, code, relay=True)
        try:
            await smtp.rset()
        except (SMTPException, OSError):
            await self._drop()  # the verdict stands, only the line is gone
        if NO_RELAYING.search(reply):
            return Deferred(reply, code, relay=True)
        return Deferred(reply, code) if code < 500 or POLICY.match(reply) else Refused(code, reply)

    async def _connected(self) -> SMTP:
        relay = self._relay
        if self._smtp and self._sent >= relay.messages_per_connection:
            await self.quit()
        if self._smtp and self._smtp.is_connected:
            return self._smtp
        self._sent = 0
        self._smtp = SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls",
            username=relay.username or None,
            password=relay.password or None,
            timeout=relay.timeout_s,
        )
        await self._smtp.connect()
        if self._smtp.is_ehlo_or_helo_needed:  # the limits must be known before the first mail
            try:
                await self._smtp.ehlo()
            except SMTPHeloError:
                await self._smtp.helo()
        return self._smtp

    async def quit(self) -> None:
        """Say QUIT where somebody listens, and close."""
        if self._smtp and self._smtp.is_connected:
            with suppress(SMTPException, OSError):  # gone already is what was wanted
                await self._smtp.quit(timeout=5)
        await self._drop()

    async def _drop(self) -> None:
        if self._smtp:
            self._smtp.close()
        self._smtp = None


class EmlFolder:
    """Writes each mail as an `.eml` file instead of sending it; `written` lists the files."""

    workers = 1

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written: list[Path] = []

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session that writes files."""
        yield self

    async def send(self, envelope: Envelope, permit: Permit) -> Outcome:
        """Write one file, named after its recipient."""
        if not permit():
            return Deferred("withdrawn before the last byte: unsubscribed or taken over")
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{re.sub(r'[^A-Za-z0-9@._+-]', '_', envelope.recipient)}.eml"
        path.write_bytes(envelope.raw)
        self.written.append(path)
        return Sent(f"written to {path}")


def _unfit(smtp: SMTP, envelope: Envelope) -> Refused | None:
    """Why this server cannot take this message at all, by the limits of its EHLO.

    Source: RFC 1870 (SIZE), RFC 6531 (SMTPUTF8).
    """
    if UNSAFE.search(envelope.recipient):
        return Refused(0, "the address holds what no command may carry")
    if not envelope.recipient.isascii() and not smtp.supports_extension("smtputf8"):
        return Refused(0, "the server takes no address with letters beyond ASCII (no SMTPUTF8)")
    limit = smtp.esmtp_extensions.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(envelope.raw):
        return Refused(0, f"{len(envelope.raw)} bytes are over the server's limit of {limit}")
    return None


def _words(error: Exception) -> str:
    code = _code(error)
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    return _line(code, text) if code else _cut(text)


def _code(error: Exception) -> int:
    return int(getattr(error, "code", 0) or 0)


def _line(code: int, text: str) -> str:
    return _cut(f"{code} {text}")


def _cut(text: str) -> str:
    """One printable line of a hostile reply."""
    return "".join(c if c.isprintable() else " " for c in text)[:REPLY_LENGTH]
