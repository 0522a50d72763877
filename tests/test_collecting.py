"""What comes back, from the places where it arrives to who is suppressed."""

from __future__ import annotations

import asyncio
import mailbox
import smtplib
from pathlib import Path

import pytest

from digest.app import App
from digest.collecting import collect, has_places, open_listener
from digest.errors import DigestError
from digest.model import SubscriberState
from digest.ticks import STEPS, Ticks, steps_of
from tests.bounces.mails import delivery_report, group
from tests.ports import free_port
from tests.postbox.imap_server import Mailbox, imap_server
from tests.running import announce, delivery_of, prepared, running
from tests.samples import NOW, listing, subscriber

ADA, MARY = "ada@example.org", "mary@example.org"
BOUNCES = 'bounce_domain = "bounces.example.org"'


def prepare(app: App) -> None:
    """A digest of today for everybody."""
    announce(app, listing("Flash attention"))
    prepared(app, ADA)


def bounce(app: App, email: str) -> bytes:
    """A report that this address is dead, at the token of its mail."""
    return delivery_report(group(email), to=path_of(app, email))


def path_of(app: App, email: str) -> str:
    """Where bounces of that mail go."""
    row = delivery_of(app, email)
    return app.return_path("d", row.id, row.message_id)


def state(app: App, email: str) -> SubscriberState:
    """How that subscriber stands."""
    one = app.store.subscriber(email)
    assert one
    return one.state


def test_n6_maildir_and_mailbox_are_emptied_side_by_side(tmp_path: Path) -> None:
    """One bounce in each; the second visit finds nothing."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    folder = mailbox.Maildir(tmp_path / "Maildir")
    with imap_server(Mailbox()) as box:
        places = (
            f'\n[bounces]\nmaildir = "Maildir"\n[bounces.imap]\nhost = "127.0.0.1"\n'
            f'port = {box.port}\ntls = "none"\nusername = "b"\npassword_file = "password"\n'
        )
        people = subscriber(ADA), subscriber(MARY)
        with running(tmp_path, *people, sources=places, mail=BOUNCES) as app:
            prepare(app)
            folder.add(bounce(app, ADA))
            box.put(bounce(app, MARY))
            assert collect(app, lambda: NOW) == 2
            assert {state(app, ADA), state(app, MARY)} == {SubscriberState.SUPPRESSED}
            assert collect(app, lambda: NOW) == 0


def test_a_place_in_trouble_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    """The mailbox is not there; the Maildir is emptied, and then the fault is told."""
    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    folder = mailbox.Maildir(tmp_path / "Maildir")
    places = (
        '\n[bounces]\nmaildir = "Maildir"\n[bounces.imap]\nhost = "127.0.0.1"\nport = 1\n'
        'tls = "none"\nusername = "b"\npassword_file = "password"\n'
    )
    with running(tmp_path, subscriber(ADA), sources=places, mail=BOUNCES) as app:
        prepare(app)
        folder.add(bounce(app, ADA))
        with pytest.raises(DigestError, match="port 1: Connection refused"):
            collect(app, lambda: NOW)
        assert state(app, ADA) is SubscriberState.SUPPRESSED


@pytest.mark.parametrize("protocol", [smtplib.SMTP, smtplib.LMTP])
def test_n1_the_listener_takes_what_has_a_token_of_ours(
    tmp_path: Path, protocol: type[smtplib.SMTP]
) -> None:
    """The envelope is enough: the mail itself need not name the address."""
    free = free_port()
    places = f'\n[bounces]\nlisten = "127.0.0.1:{free}"\n'
    people = subscriber(ADA), subscriber(MARY)
    with running(tmp_path, *people, sources=places, mail=BOUNCES) as app:
        prepare(app)
        path, raw = path_of(app, ADA), delivery_report(group(ADA), to="undisclosed")

        def client(port: int) -> None:
            with protocol("127.0.0.1", port) as smtp:
                smtp.sendmail("", [path.upper()], raw)
                with pytest.raises(smtplib.SMTPRecipientsRefused):
                    smtp.sendmail("", [path.replace("bounce+", "bounce+a")], raw)

        async def run() -> None:
            async with open_listener(lambda: app, lambda: NOW) as port:
                assert port
                await asyncio.to_thread(client, port)

        asyncio.run(run())
        assert state(app, ADA) is SubscriberState.SUPPRESSED
        assert state(app, MARY) is SubscriberState.ACTIVE


def test_the_service_looks_where_the_config_names_a_place(tmp_path: Path) -> None:
    """As often as it says; a service without a place has no such step."""
    with running(tmp_path) as app:
        assert not has_places(app)
        assert steps_of(app) == STEPS
    places = '\n[bounces]\nmaildir = "Maildir"\nevery_s = 7\n'
    mailbox.Maildir(tmp_path / "Maildir")
    with running(tmp_path, sources=places) as app:
        assert steps_of(app)["collect"] == 7
        asyncio.run(Ticks(app, lambda: NOW, asyncio.Event()).collect())
