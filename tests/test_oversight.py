"""Who is told what and when: once a day, once a trouble, by the way of all letters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from digest import jobs, mailroom
from digest.app import App
from digest.mailer import EmlFolder, SmtpMailer
from digest.model import SourceRun, Subscriber
from digest.oversight import account, by_day, oversee, troubles
from digest.store.returned import What
from tests.running import announce, running
from tests.samples import NOW, listing, subscriber
from tests.smtp_server import mail_server

OPERATOR = '\n[operator]\nemail = "operator@example.org"\nnote_at = "09:00"\n'
SOURCES = '[[sources]]\nname = "Papers"\nkind = "feed"\nurl = "https://example.org/feed"\n'
NINE = NOW.replace(hour=9)


@contextmanager
def service(folder: Path, *people: Subscriber, more: str = OPERATOR) -> Iterator[App]:
    """A service with a source, whose mails become files."""
    mailer = EmlFolder(folder / "mails")
    with running(folder, *people, sources=more + SOURCES, mailer=mailer) as app:
        app.store.record_run(SourceRun("Papers", NOW, read=3, new=3))
        yield app


def sent(app: App, now: datetime) -> list[EmailMessage]:
    """The letters that go out now."""
    assert isinstance(app.mailer, EmlFolder)
    app.mailer.written.clear()
    asyncio.run(mailroom.send_letters(app, lambda: now))
    return [message_from_bytes(path.read_bytes(), policy=SMTP) for path in app.mailer.written]


def silent(now: datetime) -> SourceRun:
    """A run that failed, of a source that has failed for two days."""
    return SourceRun("Papers", now, error="503", failing_since=now - timedelta(days=2))


def test_nobody_is_told_anything_without_an_address(tmp_path: Path) -> None:
    """Off by default, whatever is wrong."""
    with service(tmp_path, more="") as app:
        app.store.record_run(silent(NINE))
        assert oversee(app, NINE) == 0
        assert sent(app, NINE) == []


def test_the_note_comes_once_a_day_at_its_time(tmp_path: Path) -> None:
    """Not before nine, once whatever the number of looks and restarts, and again the next day."""
    notes: list[str] = []
    for hours in (0, 0.9, 1, 1.1, 5, 24.9, 25):
        now = NOW + timedelta(hours=hours)
        with service(tmp_path) as app:  # each look is a restart
            oversee(app, now)
            oversee(app, now)
            notes += [f"{hours} {mail['Subject'].partition(' · ')[2]}" for mail in sent(app, now)]
    assert notes == ["1 Friday 20 November", "25 Saturday 21 November"]


def test_two_processes_tell_it_once(tmp_path: Path) -> None:
    """What the one has queued, the other finds."""
    with service(tmp_path) as one, service(tmp_path) as other:
        assert [oversee(one, NINE), oversee(other, NINE)] == [1, 0]


def test_daily_false_leaves_the_alerts(tmp_path: Path) -> None:
    """Who wants no note is still told of trouble."""
    with service(tmp_path, more=f"{OPERATOR}daily = false\n") as app:
        assert oversee(app, NINE) == 0
        app.store.record_run(silent(NINE))
        assert oversee(app, NINE) == 1


def test_a_source_that_is_silent_is_told_at_once_and_once_a_day(tmp_path: Path) -> None:
    """In the words of the status; a second trouble of the day is told beside it."""
    early = NOW - timedelta(hours=5)
    with service(tmp_path) as app:
        app.store.record_run(silent(early))
        for minutes in range(0, 90, 30):
            oversee(app, early + timedelta(minutes=minutes))
        (mail,) = sent(app, early)
        assert mail["To"] == "operator@example.org"
        assert mail["Subject"].startswith("Paper digest: Papers could not be read since")
        assert oversee(app, early + timedelta(hours=23, minutes=59)) == 0
        assert oversee(app, early + timedelta(hours=24, minutes=1)) == 1


def test_d8_the_account_of_a_scripted_day(tmp_path: Path) -> None:
    """Sent, without a match, refused, bounced, and who took the messages; nothing of other days."""
    people = [
        subscriber("ada@gmail.com"),
        subscriber("mary@googlemail.com"),
        subscriber("emmy@example.org"),
    ]
    with service(tmp_path, *people) as app:
        announce(app, listing("Flash attention"))
        jobs.prepare(app, NOW)
        asyncio.run(jobs.deliver(app, lambda: NOW))
        mail = app.store.mailed("d", 1)
        assert mail
        app.store.take_return(mail, What.SOFT, "full", NOW)
        day = account(app, NINE - timedelta(days=1), NINE)
        assert day.closed == {"sent": 3}
        assert (day.bounced, day.complaints, day.deferred, day.oldest_waiting_at) == (1, 0, 0, None)
        assert day.receivers == [("google", 2), ("example.org", 1)]
        assert day.sources == ["Papers brought 3."]
        app.store.record_run(SourceRun("Papers", NINE + timedelta(hours=1), read=5, new=5))
        assert account(app, NINE - timedelta(days=1), NINE).sources == ["Papers brought 3."]
        after = account(app, NINE, NINE + timedelta(days=1))
        assert (after.closed, after.receivers, after.bounced) == ({}, [], 0)
        days = by_day(app, NOW + timedelta(days=1))
        assert (days["today"], dict(days["yesterday"])) == ([], {"google": 2, "example.org": 1})


def test_q4_the_breaker_is_told_through_the_relay_that_works(tmp_path: Path) -> None:
    """One relay rests, the other takes the alert; other processes read of it in the store."""

    async def story() -> list[EmailMessage]:
        async with mail_server() as server:
            relay = f'\n[[smtp.relays]]\nhost = "localhost"\nport = {server.port}\ntls = "none"\n'
            with running(tmp_path, port=1, sources=OPERATOR + relay) as app:
                assert isinstance(app.mailer, SmtpMailer)
                app.mailer._trunks[0].breaker.trouble(firm=True)
                assert oversee(app, NOW) == 1
                assert oversee(app, NOW) == 0
                says = app.store.noted_states()["relays"].says
                assert says == ("127.0.0.1 takes no mail and rests: it was in trouble before",)
                await mailroom.send_letters(app, lambda: NOW)
                app.mailer._trunks[0].breaker.fine()
                oversee(app, NOW)
                assert not app.store.noted_states()
            return [message_from_bytes(mail.raw, policy=SMTP) for mail in server.taken]

    (mail,) = asyncio.run(story())
    assert mail["Subject"].startswith("Paper digest: The mail server 127.0.0.1 takes no mail: ")


def test_a_source_in_trouble_is_told_once(tmp_path: Path) -> None:
    """To look at, and not once more among those that are well."""
    other = SOURCES.replace("Papers", "Journal")
    with service(tmp_path, more=other) as app:
        app.store.record_run(SourceRun("Journal", NOW, read=2, new=2))
        app.store.record_run(
            SourceRun("Papers", NOW, error="no answer", failing_since=NOW - timedelta(days=9))
        )
        day = account(app, NOW - timedelta(days=1), NOW)
        assert [one.partition(" ")[0] for one in day.troubles] == ["Papers"]
        assert [one.partition(" ")[0] for one in day.sources] == ["Journal"]


def test_a_source_that_the_config_no_longer_names_is_no_trouble(tmp_path: Path) -> None:
    """What was read before under another name is nobody's concern."""
    with service(tmp_path) as app:
        app.store.record_run(
            SourceRun("Old", NOW, error="gone", failing_since=NOW - timedelta(days=9))
        )
        assert not troubles(app, NOW)


def test_notes_are_signed_and_named_like_all_letters(tmp_path: Path) -> None:
    """By the same mailer: our sender, a Message-ID of ours, the signature of the config."""
    with service(tmp_path) as app:
        app.sign = lambda raw, at: b"DKIM-Signature: v=1\r\n" + raw
        oversee(app, NINE)
        (mail,) = sent(app, NINE)
    assert mail["DKIM-Signature"] == "v=1"
    assert mail["From"] == "Paper digest <digest@example.org>"
    assert mail["Message-ID"].startswith("<letter.")
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York"])
def test_a_note_a_day_through_the_jumps_of_the_clock(tmp_path: Path, zone: str) -> None:
    """At nine by the clock on the wall, whatever the zone does."""
    told = list[tuple[int, int]]()
    with service(tmp_path) as app:
        held = app.config.service.model_copy(update={"timezone": zone})
        app.config = app.config.model_copy(update={"service": held})
        start = datetime(2026, 10, 23, tzinfo=UTC)
        for minutes in range(0, 60 * 24 * 12, 30):
            now = start + timedelta(minutes=minutes)
            local = now.astimezone(ZoneInfo(zone))
            app.store.record_run(SourceRun("Papers", now, read=3, new=3))
            if oversee(app, now):
                told.append((local.day, local.hour))
    assert [hour for _, hour in told[1:]] == [9] * (len(told) - 1)
    assert len({day for day, _ in told}) == len(told) >= 11


def test_d3_what_was_told_is_forgotten_after_30_days(tmp_path: Path) -> None:
    """The note, its text and the mark that it was written."""
    with service(tmp_path) as app:
        assert oversee(app, NINE) == 1
        assert len(sent(app, NINE)) == 1
        assert jobs.tidy(app, NINE + timedelta(days=29))["notes"] == 0
        assert jobs.tidy(app, NINE + timedelta(days=31))["notes"] == 1
