"""The last step of the story on a real mail server: sending, pausing, trying again."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import open_app
from digest.errors import StoreError
from digest.mailer import Relay, SmtpMailer
from digest.model import (
    DeliveryState,
    Profile,
    SectionName,
    Subscriber,
    SubscriberState,
)
from digest.store import Lease
from tests.running import announce, delivery_of, prepared, running
from tests.samples import NOW, listing, profile, subscriber
from tests.smtp_server import DROP, MailServer, Script, mail_server
from tests.waiting import see

DAY = timedelta(days=1)
ADA = "ada@example.org"

ATTENTION = [
    listing(f"Flash attention {n}", abstract="Flash attention again. " * (6 - n)) for n in range(5)
]
RIVERS = listing("On rivers", abstract="Water and stones.", votes=90, authors=("Emmy Noether",))


def ada(**fields: object) -> Subscriber:
    """A subscriber to flash attention; the fields are those of the profile."""
    return subscriber(ADA, profile=profile(**fields))


def with_server(
    test: object, script: Script = lambda step, before: None, **settings: object
) -> None:
    """Run an async test with a mail server."""

    async def run() -> None:
        async with mail_server(script, **settings) as server:
            await test(server)  # type: ignore[operator]  # each test is async and takes a server

    asyncio.run(run())


def readers(count: int) -> list[Subscriber]:
    """So many subscribers to the same papers."""
    return [subscriber(f"reader{n}@example.org") for n in range(count)]


def recipients(server: MailServer) -> list[str]:
    """Whom the server has taken a mail for."""
    return sorted(address for mail in server.taken for address in mail.recipients)


def test_trouble_of_the_relay_ends_the_run_and_blames_nobody(tmp_path: Path) -> None:
    """After a 421 nothing more is begun; no attempt counts, and the next run sends the rest."""
    closing = [True]

    def script(step: str, before: int) -> bytes | None:
        return b"421 shutting down" if closing[0] and step == "MAIL" and before >= 3 else None

    async def test(server: MailServer) -> None:
        seconds = [0.0]
        mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"), clock=lambda: seconds[0])
        with running(tmp_path, *readers(12), mailer=mailer) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: NOW)
            sent = len(server.taken)
            assert sent == 3
            states = dict(app.store.deliveries_by_state(NOW - DAY))
            assert states.pop(DeliveryState.SENT) == 3
            assert states.keys() <= {DeliveryState.DEFERRED, DeliveryState.QUEUED}
            assert sum(states.values()) == 9
            rows = [delivery_of(app, one.email) for one in readers(12)]
            assert {row.attempts for row in rows if row.state is DeliveryState.DEFERRED} == {0}
            closing[0] = False
            seconds[0] += 60  # the relay has had its rest
            assert (await jobs.deliver(app, lambda: NOW))[DeliveryState.SENT] == 9
            assert recipients(server) == sorted(one.email for one in readers(12))

    with_server(test, script)


def test_no_row_is_touched_while_every_relay_rests(tmp_path: Path) -> None:
    """A run in an outage leases, begins and makes nothing; the first one after it sends all."""

    async def test(server: MailServer) -> None:
        seconds = [0.0]
        relay = Relay("127.0.0.1", 1, "none")  # nobody listens there
        mailer = SmtpMailer(relay, clock=lambda: seconds[0])
        with running(tmp_path, *readers(3), mailer=mailer) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: NOW)
            assert mailer.rest_s > 0
            before = [delivery_of(app, one.email) for one in readers(3)]
            later = NOW + timedelta(hours=1)
            assert not await jobs.deliver(app, lambda: later)
            assert [delivery_of(app, one.email) for one in readers(3)] == before
            app.mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"))
            assert (await jobs.deliver(app, lambda: later))[DeliveryState.SENT] == 3

    with_server(test)


def test_nobody_is_mailed_after_the_unsubscribe(tmp_path: Path) -> None:
    """It arrives while the server waits for the message: the message is withdrawn."""

    async def test(server: MailServer) -> None:
        with running(tmp_path, *readers(3), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            leaving = app.store.subscriber("reader1@example.org")
            assert leaving

            def script(step: str, before: int) -> None:
                if step == "RCPT <reader1@example.org>":
                    app.store.set_state(leaving.id, SubscriberState.UNSUBSCRIBED, NOW)

            server.script = script
            await jobs.deliver(app, lambda: NOW)
            await jobs.deliver(app, lambda: NOW + timedelta(hours=1))
            assert recipients(server) == ["reader0@example.org", "reader2@example.org"]
            assert delivery_of(app, "reader1@example.org").state is DeliveryState.CANCELLED

    with_server(test)


def test_a_database_that_is_gone_is_asked_once_who_is_still_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message under way would hold up the process, its pages and its stop as long again."""
    asked = []

    def gone(lease: Lease, now: datetime) -> bool:
        asked.append(lease.recipient)
        raise StoreError("the database cannot be reached")

    async def test(server: MailServer) -> None:
        with running(tmp_path, *readers(6), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            monkeypatch.setattr(app.store, "wanted", gone)
            with pytest.raises(StoreError):
                await jobs.deliver(app, lambda: NOW)
            assert recipients(server) == []

    with_server(test)
    assert len(asked) == 1


def test_a_living_worker_keeps_its_leases(tmp_path: Path) -> None:
    """A server that takes longer than a lease: a second worker finds nothing to take over."""

    async def test(server: MailServer) -> None:
        server.hold = asyncio.Event()
        with running(tmp_path, *readers(2), port=server.port, lease_s=1) as app:
            announce(app, *ATTENTION)
            start = datetime.now(UTC)
            jobs.prepare(app, NOW)

            def clock() -> datetime:
                return NOW + (datetime.now(UTC) - start)

            first = asyncio.create_task(jobs.deliver(app, clock))
            await asyncio.sleep(2.2)
            assert await asyncio.wait_for(jobs.deliver(app, clock), 5) == Counter()
            server.hold.set()
            assert await first == Counter({DeliveryState.SENT: 2})
            assert len(server.taken) == 2

    with_server(test)


def test_a_reply_that_never_came_is_asked_for_once_more(tmp_path: Path) -> None:
    """The same bytes and Message-ID a second time, then the row is held for a person."""

    async def test(server: MailServer) -> None:
        with running(tmp_path, ada(), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            states = []
            for hour in range(3):
                now = NOW + timedelta(hours=hour)
                await jobs.deliver(app, lambda now=now: now)  # type: ignore[misc]  # bound now
                states.append(delivery_of(app, ADA).state)
            assert states == [DeliveryState.UNKNOWN, DeliveryState.UNKNOWN, DeliveryState.HELD]
            one, two = server.taken
            assert one.raw == two.raw

    with_server(test, lambda step, before: DROP if step == "dot" else None)


def test_a_stop_ends_the_run_after_the_mails_in_flight(tmp_path: Path) -> None:
    """What was claimed and not begun is given back, untouched."""

    async def test(server: MailServer) -> None:
        with running(tmp_path, *readers(10), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: NOW, stopping=lambda: len(server.taken) >= 4)
            states = app.store.deliveries_by_state(NOW - DAY)
            assert DeliveryState.SENDING not in states
            assert states[DeliveryState.SENT] == len(server.taken) < 9  # four were in flight

    with_server(test)


def test_a_template_that_fails_on_one_digest_costs_nobody_a_mail(tmp_path: Path) -> None:
    """It passed its check and stumbles over this title: the packaged one takes its place."""
    own = tmp_path / "own"
    own.mkdir()
    broken = '{% extends "packaged/item.txt" %}{% block item %}{{ super() }}'
    broken += '{% if "rivers" in item.title %}{{ item.colour }}{% endif %}{% endblock %}'
    (own / "item.txt").write_text(broken)

    async def test(server: MailServer) -> None:
        people = [ada(), subscriber("emmy@example.org", profile=Profile(authors=("Emmy Noether",)))]
        with running(tmp_path, *people, port=server.port) as plain:
            mail = plain.config.mail.model_copy(update={"templates": own})
            config = plain.config.model_copy(update={"mail": mail})
        with open_app(config, NOW) as app:
            announce(app, ATTENTION[0], RIVERS)
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: NOW)
            assert recipients(server) == [ADA, "emmy@example.org"]

    with_server(test)


def test_q10_one_address_that_upsets_the_relay_holds_up_nobody(tmp_path: Path) -> None:
    """A 421 for one recipient in every run: the others are served, that one waits behind them."""

    def script(step: str, before: int) -> bytes | None:
        return b"421 busy" if step == f"RCPT <{readers(5)[0].email}>" else None

    async def test(server: MailServer) -> None:
        with running(tmp_path, *readers(5), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            for tick in range(1, 4):
                at = NOW + timedelta(seconds=30 * tick)
                await jobs.deliver(app, lambda at=at: at)  # type: ignore[misc]  # bound at once
            assert recipients(server) == sorted(one.email for one in readers(5)[1:])

    with_server(test, script)


def test_a_mail_that_cannot_be_made_holds_up_nobody(tmp_path: Path) -> None:
    """A digest that breaks the renderer is deferred with the reason, the others go out."""

    async def test(server: MailServer) -> None:
        with running(tmp_path, *readers(3), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            with app.store.writing() as db:  # type: ignore[attr-defined]  # SQLite, to break a row
                db.execute("UPDATE deliveries SET message_id = 'no id' WHERE id = 1")
            tally = await jobs.deliver(app, lambda: NOW)
            assert tally == {DeliveryState.SENT: 2, DeliveryState.DEFERRED: 1}

    with_server(test)


def test_what_a_refused_mail_held_is_offered_again(tmp_path: Path) -> None:
    """Nobody saw it, so the next digest has it."""

    async def refuse(server: MailServer) -> None:
        with running(tmp_path, ada(), port=server.port) as app:
            announce(app, ATTENTION[0])
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: NOW)
            assert delivery_of(app, ADA).state is DeliveryState.REFUSED
            assert prepared(app, ADA, NOW + DAY) == {SectionName.FOR_YOU: ["Flash attention 0"]}

    with_server(refuse, lambda step, before: b"550 no" if step.startswith("RCPT") else None)


def test_no_row_is_begun_that_would_wait_for_a_connection(tmp_path: Path) -> None:
    """A run begins with one connection: before it has had success, two rows are in doubt at most.

    One is being sent, the envelope of the next follows on the same connection.
    """

    async def check(server: MailServer) -> None:
        server.hold = asyncio.Event()
        relay = Relay("127.0.0.1", server.port, tls="none", connections=8)
        with running(tmp_path, *readers(20), mailer=SmtpMailer(relay)) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            sending = asyncio.create_task(jobs.deliver(app, lambda: NOW))
            await see("a mail", lambda: "DATA" in server.commands)
            await asyncio.sleep(0.2)  # the others could begin, too
            begun = [delivery_of(app, f"reader{n}@example.org").state for n in range(20)]
            server.hold.set()
            tally = await sending
        assert begun.count(DeliveryState.SENDING) <= 2
        assert tally == {DeliveryState.SENT: 20}

    with_server(check)


def test_a_worker_that_was_stopped_over_its_lease_loses_nobody_a_try(tmp_path: Path) -> None:
    """It withdraws what may be another's by now; the mail goes out soon, not after a failure."""
    now = NOW

    def script(step: str, before: int) -> None:
        nonlocal now
        if (step, before) == ("DATA", 0):
            now += timedelta(minutes=5)  # more than a lease

    async def check(server: MailServer) -> None:
        with running(tmp_path, *readers(1), port=server.port) as app:
            announce(app, *ATTENTION)
            jobs.prepare(app, NOW)
            await jobs.deliver(app, lambda: now)
            assert recipients(server) == []
            row = app.store.ledger_rows(1)[0]
            assert row.attempts == 0
            assert row.next_attempt_at
            assert row.next_attempt_at - now <= timedelta(seconds=1)
            await jobs.deliver(app, lambda: now + timedelta(seconds=2))
            assert recipients(server) == ["reader0@example.org"]

    with_server(check, script)
