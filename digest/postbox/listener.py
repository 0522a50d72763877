"""Mail as a mail server hands it over, by LMTP or SMTP: only what is addressed to a token of ours.

One recipient a mail, so that the one answer of SMTP and the answer for each recipient of LMTP are
the same. Nothing is relayed, and nobody logs in. Source: RFC 5321, RFC 2033.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from digest.errors import DigestError
from digest.postbox.taking import Known, PostboxError, Taker

logger = logging.getLogger("digest")

LARGEST = 20 * 1024 * 1024
LONGEST_LINE = 64 * 1024
"""Octets; reports return whatever mails there are, also those with lines over the limit."""

LATER = "451 4.3.0 try again later"


class _Lines(SMTP):
    """Both protocols on one port: a mail server says EHLO for SMTP and LHLO for LMTP."""

    line_length_limit = LONGEST_LINE

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd names its commands so
        """The greeting of LMTP."""
        await self.smtp_EHLO(arg)


class _Desk:
    """What is said to a mail server, step by step."""

    def __init__(self, known: Known, take: Taker) -> None:
        self._known = known
        self._take = take

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Whether this is an address of ours."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        try:
            if not await asyncio.to_thread(self._known, address):
                return "550 5.1.1 no such address here"
        except DigestError as error:
            logger.warning("postbox.later %s", json.dumps({"reason": str(error)}))
            return LATER
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ours"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Whether the mail was recorded; until then the mail server keeps it."""
        raw = cast("bytes", envelope.original_content)
        try:
            await asyncio.to_thread(self._take, raw, envelope.rcpt_tos[0])
        except DigestError as error:
            logger.warning("postbox.later %s", json.dumps({"reason": str(error)}))
            return LATER
        except Exception:
            logger.exception("postbox.broke")
            return LATER
        return "250 2.0.0 recorded"


@asynccontextmanager
async def listening(place: str, known: Known, take: Taker) -> AsyncIterator[int]:
    """Take mail on `host:port` while it is open; gives the port, which is a free one for 0.

    Raises: PostboxError when it cannot be had.
    """
    host, _, port = place.rpartition(":")
    loop = asyncio.get_running_loop()
    # Its own log names addresses, and says nothing that ours does not.
    logging.getLogger("mail.log").setLevel(logging.ERROR)

    def lines() -> SMTP:
        return _Lines(
            _Desk(known, take),
            hostname="localhost",
            ident="digest",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            auth_exclude_mechanism=["LOGIN", "PLAIN"],
            loop=loop,
        )

    try:
        server = await loop.create_server(lines, host.strip("[]"), int(port))
    except OSError as error:
        raise PostboxError(f"[bounces] cannot listen on {place}: {error.strerror}") from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
