"""TLS and logins, against aiosmtpd and with an authority made for the test."""

from __future__ import annotations

import asyncio
import base64
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from digest.mailer import Login, Relay, SmtpMailer
from digest.model import Deferred, Outcome, Sent
from tests.mailer.test_sending import envelope
from tests.smtp_server import mail_server

PASSWORD = "s3cr3t-m4rk3r"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@dataclass
class Post:
    """A server of aiosmtpd: what it took, and who logged in how."""

    port: int = 0
    taken: list[bytes] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd names its hooks so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take a message."""
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 OK taken"

    def log_in(self, server: SMTP, session: Any, envelope: Any, way: str, data: Any) -> AuthResult:
        """Let in whoever knows the password."""
        assert isinstance(data, LoginPassword)
        self.logins.append((way, data.login.decode()))
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)


def server_context(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """What a server with a certificate for that name speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@asynccontextmanager
async def post(
    context: ssl.SSLContext, *, at_once: bool = False, **settings: Any
) -> AsyncIterator[Post]:
    """A running server, with TLS from the start (`at_once`) or by STARTTLS."""
    served = Post()

    def protocol() -> SMTP:
        return SMTP(
            served,
            authenticator=served.log_in,
            tls_context=None if at_once else context,
            auth_require_tls=not at_once,
            loop=asyncio.get_running_loop(),
            **settings,
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if at_once else None
    )
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()


async def send_over(port: int, tls: str, **settings: Any) -> Outcome:
    """The outcome of one message."""
    async with SmtpMailer(Relay("127.0.0.1", port, tls, **settings)).session() as session:
        return await session.send(envelope(), lambda: True)


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("way", ["auto", "plain", "login"])
def test_a6_mail_goes_out_over_tls_with_a_login(
    authority: trustme.CA, ca_file: Path, tls: str, way: str
) -> None:
    """Both ways to TLS, with an authority of our own, and every login by password."""

    async def run() -> None:
        async with post(server_context(authority), at_once=tls == "tls") as served:
            login = Login("digest", PASSWORD, way)
            got = await send_over(served.port, tls, ca_file=ca_file, login=login)
            assert got == Sent("250 OK taken")
            assert served.logins == [("LOGIN" if way == "login" else "PLAIN", "digest")]

    asyncio.run(run())


@pytest.mark.parametrize("tls", ["tls", "starttls"])
@pytest.mark.parametrize("fault", ["unknown authority", "another name"])
def test_a6_a_bad_certificate_gets_no_password(
    authority: trustme.CA, ca_file: Path, tls: str, fault: str
) -> None:
    """An authority that is not trusted or a name that is not the server's: nothing is said."""
    name = "127.0.0.1" if fault == "unknown authority" else "mail.example.org"
    trusted = ca_file if fault == "another name" else None

    async def run() -> None:
        async with post(server_context(authority, name), at_once=tls == "tls") as served:
            got = await send_over(
                served.port, tls, ca_file=trusted, login=Login("digest", PASSWORD)
            )
            assert isinstance(got, Deferred)
            assert got.relay
            assert "certificate verify failed" in got.reply
            assert not served.logins
            assert not served.taken

    asyncio.run(run())


def test_a6_tls_older_than_1_2_is_refused(authority: trustme.CA, ca_file: Path) -> None:
    """A server that knows nothing newer than TLS 1.1 gets no mail."""
    context = server_context(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def run() -> None:
        async with post(context, at_once=True) as served:
            got = await send_over(served.port, "tls", ca_file=ca_file)
            assert isinstance(got, Deferred)
            assert got.relay
            assert not served.taken

    asyncio.run(run())


def test_a_server_that_asks_for_our_certificate_gets_it(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """With the certificate the mail goes out, without it not."""
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    own = authority.issue_cert("digest.example.org")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    own.cert_chain_pems[0].write_to_path(cert)
    own.private_key_pem.write_to_path(key)

    async def run() -> None:
        async with post(context, at_once=True) as served:
            same = {"ca_file": ca_file}
            assert isinstance(await send_over(served.port, "tls", **same), Deferred)
            got = await send_over(served.port, "tls", **same, cert_file=cert, key_file=key)
            assert got == Sent("250 OK taken")

    asyncio.run(run())


def test_a6_a_wrong_password_is_tried_once_and_is_the_relays_trouble(
    authority: trustme.CA, ca_file: Path
) -> None:
    """No second way with the same password: that only locks accounts."""

    async def run() -> None:
        async with post(server_context(authority)) as served:
            got = await send_over(
                served.port, "starttls", ca_file=ca_file, login=Login("digest", "wrong")
            )
            assert isinstance(got, Deferred)
            assert (got.relay, got.code) == (True, 535)
            assert len(served.logins) == 1

    asyncio.run(run())


def scripted_login(challenge: bytes, *known: str) -> Any:
    """A script that answers AUTH and lets in whoever says one of these words."""

    def script(step: str, before: int) -> bytes | None:
        if step == "AUTH":
            return challenge
        return b"235 welcome" if step in known else None

    return script


def test_cram_md5_never_shows_the_password() -> None:
    """On this machine, unencrypted, the way that keeps the password to itself comes first."""
    challenge = base64.b64encode(b"<17.42@sink.example.org>")

    async def run() -> list[str]:
        script = scripted_login(b"334 " + challenge)
        async with mail_server(script, extensions=("AUTH PLAIN LOGIN CRAM-MD5",)) as server:
            login = Login("digest", PASSWORD)
            assert isinstance(await send_over(server.port, "none", login=login), Deferred)
            return server.commands

    commands = asyncio.run(run())
    assert commands[1] == "AUTH CRAM-MD5"
    assert PASSWORD not in str(commands)
    answer = base64.b64decode(commands[2]).decode()
    assert answer.startswith("digest ")
    assert len(answer) == len("digest ") + 32


@pytest.mark.parametrize("source", ["file", "command"])
def test_xoauth2_reads_a_fresh_token_at_each_login(tmp_path: Path, source: str) -> None:
    """The token of the file, or what the command prints, as it is at that moment."""
    path = tmp_path / "token"
    login = Login("digest", auth="xoauth2", token_file=path)
    if source == "command":
        code = f"print(open({str(path)!r}).read())"
        login = Login("digest", auth="xoauth2", token_command=(sys.executable, "-c", code))

    async def run() -> list[str]:
        script = scripted_login(b"235 welcome")
        async with mail_server(script, extensions=("AUTH XOAUTH2 PLAIN",)) as server:
            for token in ("first", "second"):
                path.write_text(f"{token}\n")
                assert isinstance(await send_over(server.port, "none", login=login), Sent)
            return [line for line in server.commands if line.startswith("AUTH")]

    said = [base64.b64decode(line.split()[2]).decode() for line in asyncio.run(run())]
    assert said == [f"user=digest\1auth=Bearer {token}\1\1" for token in ("first", "second")]


@pytest.mark.parametrize(
    ("login", "told"),
    [
        (Login("digest", auth="xoauth2", token_file=Path("/nowhere/token")), "No such file"),
        (Login("digest", auth="xoauth2", token_command=("false",)), "false gave no token"),
        (Login("digest", auth="xoauth2", token_command=("/nowhere/x",)), "No such file"),
        (Login("digest", PASSWORD, "cram-md5"), "offers no login by cram-md5 (only XOAUTH2"),
    ],
)
def test_a_login_that_cannot_be_is_the_relays_trouble(login: Login, told: str) -> None:
    """No token, no such way: the run pauses and says why; nobody is blamed."""

    async def run() -> None:
        async with mail_server(extensions=("AUTH XOAUTH2 PLAIN",)) as server:
            got = await send_over(server.port, "none", login=login)
            assert isinstance(got, Deferred)
            assert got.relay
            assert told in got.reply
            assert not [one for one in server.commands if one.startswith("MAIL")]

    asyncio.run(run())


def test_d1_a_server_that_repeats_the_password_does_not_bring_it_into_the_ledger() -> None:
    """Neither as it is nor in base64."""
    blob = base64.b64encode(f"\0digest\0{PASSWORD}".encode()).decode()

    async def run() -> Outcome:
        script = scripted_login(f"535 no {blob} {PASSWORD}".encode())
        async with mail_server(script, extensions=("AUTH PLAIN",)) as server:
            return await send_over(server.port, "none", login=Login("digest", PASSWORD))

    assert asyncio.run(run()).reply == "535 no *** ***"
