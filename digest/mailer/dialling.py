"""A line to a relay: connection, TLS, greeting and login, all by aiosmtplib.

Certificates are always checked, and no password goes over a connection that others can read.
Source: RFC 3207, RFC 4954, RFC 8314, aiosmtplib 5.1.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from aiosmtplib import SMTP, SMTPException, SMTPHeloError, SMTPResponseException

from digest.mailer.line import Line, Patience

ENCRYPTED = ("plain", "login", "cram-md5")
LOCAL = ("cram-md5", "plain", "login")
"""Ways to log in by name and password, the preferred first. Inside TLS the password is safe, and
CRAM-MD5 would make the server keep it readable."""

COMMAND_S = 30
"""Seconds that a command may take to print a token."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a relay. `auth` is `auto`, `plain`, `login`, `cram-md5` or `xoauth2`.

    For `xoauth2` the token is read anew at each login, as it lives for an hour or so: from a file
    that another program writes, or from what a command prints.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    auth: str = "auto"
    token_file: Path | None = None
    token_command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server that takes our mails. `tls` is `starttls`, `tls` or `none`.

    `weight` is its share among several relays; 0 keeps it for when all the others are in trouble.
    """

    host: str
    port: int
    tls: str = "starttls"
    login: Login = Login()
    connections: int = 2
    messages_per_connection: int = 20
    # RFC 5321 section 4.5.3.2. Short waits make duplicates: the server may have the mail.
    timeout_s: float = 300
    final_timeout_s: float = 600
    rate_per_s: float | None = None
    weight: int = 1
    pipelining: bool = True
    ehlo_name: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def name(self) -> str:
        """What it is called among processes of several machines: each has its own loopback."""
        here = f"{socket.gethostname()}'s " if _is_loopback(self.host) else ""
        return f"relay {here}{self.login.username}@{self.host}:{self.port}"

    @property
    def patience(self) -> Patience:
        """How long each answer may take."""
        return Patience.at_most(self.timeout_s, self.final_timeout_s)


def check_tls(relay: Relay) -> None:
    """Look whether its certificates can be used. Raises: OSError naming the key and the file."""
    if relay.tls == "none":
        return
    try:
        tls_context(relay.ca_file, None, None)
    except OSError as error:
        raise OSError(f"ca_file: {relay.ca_file} holds no certificates ({error})") from error
    try:
        tls_context(relay.ca_file, relay.cert_file, relay.key_file)
    except OSError as error:
        raise OSError(
            f"cert_file: {relay.cert_file} holds no certificate with a key to it ({error})"
        ) from error


@lru_cache(maxsize=16)
def tls_context(
    ca_file: Path | None, cert_file: Path | None, key_file: Path | None
) -> ssl.SSLContext:
    """What TLS trusts: the system's authorities or only those of a file; with our certificate.

    Raises: OSError, also for a file that is no certificate or a key that needs a password.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file:
        context.load_cert_chain(cert_file, key_file, password=lambda: "")  # never ask a terminal
    return context


async def dial(relay: Relay) -> Line:
    """A line on which the first message can begin. Raises: SMTPException, OSError, ValueError."""
    smtp = await smtp_of(relay)
    try:
        await connect(smtp)
        await log_in(smtp, relay.login)
    except BaseException:
        smtp.close()
        raise
    if not isinstance(smtp.transport, asyncio.Transport):
        raise SMTPException("connection lost")
    return Line(smtp.transport, smtp.esmtp_extensions, relay.patience, pipelining=relay.pipelining)


async def smtp_of(relay: Relay) -> SMTP:
    """The client of aiosmtplib for a relay; nothing is said yet. Raises: OSError."""
    encrypted = relay.tls != "none"
    return SMTP(
        hostname=relay.host,
        port=relay.port,
        use_tls=relay.tls == "tls",
        start_tls=relay.tls == "starttls",
        tls_context=(
            tls_context(relay.ca_file, relay.cert_file, relay.key_file) if encrypted else None
        ),
        local_hostname=relay.ehlo_name or await own_name(),
        timeout=relay.patience.command,
    )


async def connect(smtp: SMTP) -> None:
    """Connect, encrypt, greet. Raises: SMTPException, OSError, ValueError."""
    await smtp.connect()
    await _greet(smtp)


async def own_name() -> str:
    """What this machine calls itself; asked once, as a name server may be slow."""
    return await asyncio.to_thread(_own_name)


@lru_cache(maxsize=1)
def _own_name() -> str:
    name = socket.getfqdn()
    return name if name.isascii() and " " not in name and name else "localhost"


async def _greet(smtp: SMTP) -> None:
    """EHLO, or HELO for servers from before it: limits must be known before the first mail."""
    if smtp.is_ehlo_or_helo_needed:
        try:
            await smtp.ehlo()
        except SMTPHeloError:
            await smtp.helo()


async def log_in(smtp: SMTP, login: Login) -> None:
    """Log in once, in one way: a second try with the same password only locks accounts."""
    if not login.username:
        return
    encrypted = smtp.get_transport_info("sslcontext") is not None
    if not (encrypted or _stays_here(smtp)):
        raise SMTPException("no password goes over an unencrypted connection to another machine")
    way = _way(login, smtp.server_auth_methods, ENCRYPTED if encrypted else LOCAL)
    try:
        if way == "xoauth2":
            await smtp.auth_xoauth2(login.username, await _token(login))
        elif way == "cram-md5":
            await smtp.auth_crammd5(login.username, login.password)
        elif way == "login":
            await smtp.auth_login(login.username, login.password)
        else:
            await smtp.auth_plain(login.username, login.password)
    except SMTPResponseException as error:
        raise SMTPResponseException(error.code, _hidden(error.message, login)) from None


def _way(login: Login, offered: Sequence[str], preferred: Sequence[str]) -> str:
    """The way to log in that was asked for, or the best that is offered."""
    wanted = preferred if login.auth == "auto" else (login.auth,)
    found = next((way for way in wanted if way in offered), "")
    if not found:
        ways = ", ".join(offered).upper() or "none"
        raise SMTPException(f"the server offers no login by {' or '.join(wanted)} (only {ways})")
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _stays_here(smtp: SMTP) -> bool:
    peer = smtp.get_transport_info("peername")
    return ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback


async def _token(login: Login) -> str:
    """The OAuth token of this hour. Raises: SMTPException, OSError."""
    if login.token_file:
        return login.token_file.read_text("utf-8").strip()
    process = await asyncio.create_subprocess_exec(
        *login.token_command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(COMMAND_S):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise SMTPException(f"{login.token_command[0]} took longer than {COMMAND_S} s") from None
    token = printed.decode("ascii", "replace").strip()
    if process.returncode or not token:
        raise SMTPException(
            f"{login.token_command[0]} gave no token (it ended with {process.returncode})"
        )
    return token


def _hidden(text: str, login: Login) -> str:
    """A reply without the password, should a server repeat what it was told."""
    if login.password:
        plain = f"\0{login.username}\0{login.password}"
        for secret in (login.password, _base64(login.password), _base64(plain)):
            text = text.replace(secret, "***")
    return text


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
