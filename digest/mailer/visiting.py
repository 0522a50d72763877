"""A look at a relay: dialled as for a mail, asked what it is and takes, and left again.

No message is begun. How far it came and why it went no further is a value.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from aiosmtplib import SMTP, SMTPException, SMTPTimeoutError

from digest.mailer.dialling import Relay, connect, log_in, smtp_of
from digest.mailer.replies import Reply, printable


class Step(StrEnum):
    """How far a visit came; at all but the last something went wrong."""

    SILENCE = "silence"
    CONNECTION = "connection"
    ENCRYPTION = "encryption"
    CERTIFICATE = "certificate"
    GREETING = "greeting"
    LOGIN = "login"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit found: how far it came, the fault that ended it, and what the server told.

    `name` is what the server calls itself, `address` where it was, `tls` the version in use (empty
    without), `until` the end of its certificate.
    """

    step: Step
    fault: str = ""
    address: str = ""
    name: str = ""
    tls: str = ""
    until: datetime | None = None
    extensions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


async def visit(relay: Relay) -> Visit:
    """What a relay is like now; never raises for anything that a server or a network does."""
    smtp: SMTP | None = None
    step = Step.GREETING
    try:
        smtp = await smtp_of(relay)
        await connect(smtp)
        step = Step.LOGIN
        await log_in(smtp, relay.login)
        found = _told(smtp, Step.READY)
        with suppress(SMTPException, OSError):
            await smtp.quit()
    except (SMTPException, OSError, ValueError) as error:
        fault = _words(error)
        if step is Step.LOGIN and smtp:
            return _told(smtp, step, fault)
        return Visit(_step(error), fault)
    else:
        return found
    finally:
        if smtp:
            smtp.close()


def _told(smtp: SMTP, step: Step, fault: str = "") -> Visit:
    """What the server has told by then."""
    peer = smtp.get_transport_info("peername") or ("",)
    tls = smtp.get_transport_info("ssl_object")
    ends = (tls.getpeercert() or {}).get("notAfter") if tls else None
    greeting = smtp.last_ehlo_response.message if smtp.last_ehlo_response else ""
    return Visit(
        step=step,
        fault=fault,
        address=str(peer[0]).partition("%")[0],
        name=printable(greeting.partition("\n")[0].partition(" ")[0]),
        tls=(tls.version() or "") if tls else "",
        until=datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None,
        extensions={name: printable(value) for name, value in smtp.esmtp_extensions.items()},
    )


def _step(error: BaseException) -> Step:
    """Where a connection came to grief, by what lies below the library's own error."""
    below: BaseException | None = error
    while below:
        if isinstance(below, ssl.SSLCertVerificationError):
            return Step.CERTIFICATE
        if isinstance(below, ssl.SSLError):
            return Step.ENCRYPTION
        below = below.__cause__ or below.__context__
    if isinstance(error, SMTPTimeoutError | TimeoutError):
        return Step.SILENCE
    if "STARTTLS" in str(error):
        return Step.ENCRYPTION
    return Step.GREETING if getattr(error, "code", 0) else Step.CONNECTION


def _words(error: Exception) -> str:
    code = int(getattr(error, "code", 0) or 0)
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    return Reply(code, text).words if code else printable(text)
