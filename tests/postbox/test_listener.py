"""Mail as mail servers hand it over: by SMTP and LMTP, to our addresses and no others."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import Callable

import pytest

from digest.errors import StoreError
from digest.postbox import PostboxError, listening

RAW = b"Subject: one\r\n\r\n.One.\r\n"
OURS = "bounce+token@bounces.example.org"


class Desk:
    """What was asked and handed over, and what is to go wrong."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.fault: Exception | None = None

    def known(self, address: str) -> bool:
        """One address is ours."""
        if isinstance(self.fault, StoreError) and address == "locked@example.org":
            raise self.fault
        return address == OURS

    def take(self, raw: bytes, sent_to: str) -> None:
        """Keep what came, or fail."""
        if self.fault:
            raise self.fault
        self.taken.append((raw, sent_to))


def talk(desk: Desk, client: Callable[[int], None]) -> None:
    """Run a blocking client beside a listener."""

    async def run() -> None:
        async with listening("127.0.0.1:0", desk.known, desk.take) as port:
            await asyncio.to_thread(client, port)

    asyncio.run(run())


@pytest.mark.parametrize("protocol", [smtplib.SMTP, smtplib.LMTP])
def test_a_bounce_is_taken_from_nobody_for_one_of_us(protocol: type[smtplib.SMTP]) -> None:
    """Null sender, our address, bytes as they were sent; over SMTP and LMTP on one port."""
    desk = Desk()

    def client(port: int) -> None:
        with protocol("127.0.0.1", port) as smtp:
            assert smtp.sendmail("", [OURS], RAW) == {}

    talk(desk, client)
    assert desk.taken == [(RAW, OURS)]


def test_n4_other_addresses_are_refused() -> None:
    """550 for every address without a token of ours, so that nothing is relayed or kept."""
    desk = Desk()

    def client(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.ehlo()
            smtp.mail("<>")
            for address in ("postmaster@example.org", "bounce+x@bounces.example.org", '"a b"@x'):
                assert smtp.rcpt(address)[0] in {550, 553}
            assert smtp.rcpt(OURS)[0] == 250
            assert smtp.data(RAW)[0] == 250

    talk(desk, client)
    assert [sent_to for _, sent_to in desk.taken] == [OURS]


def test_one_recipient_at_a_time() -> None:
    """The second is told to come with a mail of its own, which mail servers do."""
    desk = Desk()

    def client(port: int) -> None:
        with smtplib.LMTP("127.0.0.1", port) as smtp:
            smtp.ehlo()  # which says LHLO here
            smtp.mail("<>")
            assert smtp.rcpt(OURS)[0] == 250
            assert smtp.rcpt(OURS)[0] == 452

    talk(desk, client)


@pytest.mark.parametrize("fault", [StoreError("locked"), ZeroDivisionError()])
def test_n6_what_could_not_be_recorded_is_kept_by_the_mail_server(fault: Exception) -> None:
    """451 to the mail, and to the address where that could not be looked up."""
    desk = Desk()
    desk.fault = fault

    def client(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            with pytest.raises(smtplib.SMTPDataError) as caught:
                smtp.sendmail("", [OURS], RAW)
            assert caught.value.smtp_code == 451
            if isinstance(fault, StoreError):
                smtp.mail("<>")
                assert smtp.rcpt("locked@example.org")[0] == 451

    talk(desk, client)
    assert not desk.taken


def test_n7_long_lines_are_taken_and_floods_are_not() -> None:
    """A line over the limit of SMTP is no reason to lose a bounce; 21 MB are."""
    desk = Desk()

    def client(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.sendmail("", [OURS], b"x" * 30_000 + b"\r\n")
            with pytest.raises(smtplib.SMTPException):
                smtp.sendmail("", [OURS], (b"y" * 998 + b"\r\n") * 21_500)

    talk(desk, client)
    assert [len(raw) for raw, _ in desk.taken] == [30_002]


def test_a_port_that_is_taken_is_named() -> None:
    """One line with the place."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        place = f"127.0.0.1:{sock.getsockname()[1]}"

        async def run() -> None:
            async with listening(place, lambda address: True, lambda raw, sent_to: None):
                pass

        with pytest.raises(PostboxError, match=f"cannot listen on {place}"):
            asyncio.run(run())
