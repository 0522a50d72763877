"""The story on a real store and a real mail server: who gets what, once, and what is written."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.errors import DigestError
from digest.mailer import EmlFolder
from digest.model import (
    DeliveryState,
    SectionName,
    Subscriber,
    WhenEmpty,
)
from digest.press import render
from digest.standing import summed
from digest.store.collected import Intake
from tests.running import announce, delivery_of, prepared, running
from tests.samples import NOW, listing, profile, subscriber

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ADA = "ada@example.org"
FOR_YOU, FOLLOWED, TRENDING = SectionName.FOR_YOU, SectionName.FOLLOWED, SectionName.TRENDING
RISING, WAITING, SHORT = SectionName.RISING, SectionName.WAITING, SectionName.SHORT

ATTENTION = [
    listing(f"Flash attention {n}", abstract="Flash attention again. " * (6 - n)) for n in range(5)
]
RIVERS = listing("On rivers", abstract="Water and stones.", votes=90, authors=("Emmy Noether",))
IMAGING = listing(
    "Flash attention for medical imaging",
    abstract="Medical imaging scans.",
    votes=500,
    authors=("Emmy Noether",),
)


def ada(**fields: object) -> Subscriber:
    """A subscriber to flash attention; the fields are those of the profile."""
    return subscriber(ADA, profile=profile(**fields))


# --- prepare ----------------------------------------------------------------------------------


@pytest.mark.parametrize("when_empty", [WhenEmpty.SKIP, WhenEmpty.NEAREST])
def test_what_is_excluded_stands_in_no_section(tmp_path: Path, when_empty: WhenEmpty) -> None:
    """Neither for its score, nor its votes, nor its author, nor as a near miss."""
    picky = ada(
        exclude=("medical imaging",),
        authors=("Emmy Noether",),
        trending=5,
        min_score=0.1,
        when_empty=when_empty,
    )
    with running(tmp_path, picky) as app:
        announce(app, IMAGING, RIVERS, ATTENTION[0])
        shown = prepared(app, ADA)
    assert shown == {FOR_YOU: ["Flash attention 0"], FOLLOWED: ["On rivers"]}


def test_near_misses_are_not_what_is_excluded(tmp_path: Path) -> None:
    """The best that is left misses the floor; the excluded one scored higher."""
    picky = ada(exclude=("medical imaging",), min_score=0.99, when_empty=WhenEmpty.NEAREST)
    with running(tmp_path, picky) as app:
        announce(app, IMAGING, ATTENTION[4], RIVERS)
        assert prepared(app, ADA) == {SectionName.NEAREST: ["Flash attention 4"]}


def test_what_did_not_fit_comes_again_until_it_is_old(tmp_path: Path) -> None:
    """One in full and one as a title, then a title a day while `rollover_days` lets them."""
    more = [listing(f"Flash attention, part {n}", abstract="Flash attention.") for n in range(2)]
    with running(tmp_path, ada(max_items=1), mailer=EmlFolder(tmp_path)) as app:
        announce(app, *ATTENTION, *more)
        days, counts = [], []
        for now in (NOW + number * DAY for number in range(5)):
            days.append(prepared(app, ADA, now))
            asyncio.run(jobs.deliver(app, lambda now=now: now))  # type: ignore[misc]  # bound now
            receipt = delivery_of(app, ADA, now).digest.receipt
            counts.append((receipt.matched, receipt.shown, receipt.waiting))
    assert [list(day) for day in days] == [[FOR_YOU, SHORT], [WAITING], [WAITING], [WAITING], []]
    assert counts == [(7, 2, 5), (0, 1, 4), (0, 1, 3), (0, 1, 0), (0, 0, 0)]
    assert len({title for day in days for titles in day.values() for title in titles}) == 5


def vote(app: App, title: str, votes: int, at: datetime) -> None:
    """Let the source say that the listing has so many votes by then."""
    (one,) = app.store.find_listings(title, 1)
    now = Intake(changed=[replace(one, votes=votes)], votes={one.id: votes})
    app.store.take_in(lambda look: now, at)


def test_a_listing_rises_once(tmp_path: Path) -> None:
    """Passed over on its day and voted for since, it comes in full, and never a second time."""
    near = listing("Attention in a flash", abstract="Attention.", votes=3)
    with running(tmp_path, ada(min_score=0.8), mailer=EmlFolder(tmp_path)) as app:
        announce(app, near, listing("On rivers", votes=2))
        shown = []
        for back, votes in enumerate((3, 40, 90, 200)):
            now = NOW + back * DAY
            if back:
                vote(app, "Attention in a flash", votes, now - HOUR)
                vote(app, "On rivers", votes, now - HOUR)
            shown.append(prepared(app, ADA, now))
            asyncio.run(jobs.deliver(app, lambda now=now: now))  # type: ignore[misc]  # bound now
    assert shown == [{}, {RISING: ["Attention in a flash"]}, {}, {}]


def test_a_hint_is_given_once_in_two_weeks(tmp_path: Path) -> None:
    """In a note that goes out anyway; who wants silence on an empty day has it."""
    people = [
        subscriber(f"{when}@example.org", profile=profile(when_empty=when)) for when in WhenEmpty
    ]
    with running(tmp_path, *people, mailer=EmlFolder(tmp_path)) as app:
        hints: dict[str, list[int]] = {one.email: [] for one in people}
        for number in range(32):
            now = NOW + number * DAY
            announce(app, listing(f"On rivers, part {number}"), at=now - HOUR)
            jobs.prepare(app, now)
            asyncio.run(jobs.deliver(app, lambda now=now: now))  # type: ignore[misc]  # bound now
            for one in people:
                row = delivery_of(app, one.email, now)
                hints[one.email] += [number] if row.digest.hint else []
        said = delivery_of(app, "note@example.org", NOW + 14 * DAY).digest.hint
    assert hints == {
        "skip@example.org": [],
        "note@example.org": [14, 29],
        "nearest@example.org": [14, 29],
    }
    assert "“flash attention”" in said


def test_what_was_shown_is_never_shown_again(tmp_path: Path) -> None:
    """In no section of the next day, also when the source announces it again."""
    eager = ada(trending=5, authors=("Emmy Noether",))
    with running(tmp_path, eager, mailer=EmlFolder(tmp_path)) as app:
        announce(app, *ATTENTION, RIVERS)
        assert sum(map(len, prepared(app, ADA).values())) == 6
        asyncio.run(jobs.deliver(app, lambda: NOW))
        announce(app, *ATTENTION, RIVERS, at=NOW + DAY)
        assert prepared(app, ADA, NOW + DAY) == {}


def test_the_most_voted_come_whatever_the_keywords(tmp_path: Path) -> None:
    """As many as asked for, most voted first, none twice in a mail."""
    voted = [listing(f"Paper {n}", votes=n) for n in range(1, 6)]
    with running(tmp_path, ada(trending=2)) as app:
        announce(app, *voted, listing("Flash attention", votes=99))
        assert prepared(app, ADA) == {
            FOR_YOU: ["Flash attention"],
            TRENDING: ["Paper 5", "Paper 4"],
        }


def test_a_followed_author_is_said_in_the_reasons(tmp_path: Path) -> None:
    """Under the name as the subscriber wrote it, without points."""
    with running(tmp_path, ada(authors=("Noether, E.",))) as app:
        announce(app, RIVERS)
        assert prepared(app, ADA) == {FOLLOWED: ["On rivers"]}
        (section,) = delivery_of(app, ADA).digest.sections
    (reason,) = section.matches[0].reasons
    assert (reason.term, reason.field, reason.points) == ("Noether, E.", "author", 0.0)


def test_so_many_a_day_sets_the_floor(tmp_path: Path) -> None:
    """The floor is fitted on the stored days, and the digest says which it was."""
    with running(tmp_path, ada(per_day=2, min_score=0.99)) as app:
        for back in (3, 2, 1, 0):
            day = [
                listing(f"Day {back} paper {n}", abstract="flash attention " * n) for n in range(6)
            ]
            announce(app, *day, at=NOW - back * DAY)
        shown = prepared(app, ADA)[FOR_YOU]
        floor = delivery_of(app, ADA).digest.subscriber.profile.min_score
    today = [title for title in shown if title.startswith("Day 0")]
    assert len(today) == 2
    assert 0 < floor < 0.99


def test_a_weekly_digest_answers_for_the_week(tmp_path: Path) -> None:
    """Listings of seven days stand in it; the daily one of the same day has none so old."""
    weekly = subscriber("weekly@example.org", days=("fri",))
    with running(tmp_path, weekly, subscriber(ADA)) as app:
        announce(app, ATTENTION[0], at=NOW - timedelta(days=6, hours=23))
        assert prepared(app, "weekly@example.org") == {FOR_YOU: ["Flash attention 0"]}
        assert delivery_of(app, ADA).state is DeliveryState.EMPTY
        assert jobs.prepare(app, NOW + DAY)[DeliveryState.EMPTY] == 1  # Saturday: ada alone


def test_an_empty_day_is_a_row_with_its_reason(tmp_path: Path) -> None:
    """Nobody due is left without a row; it is final and nothing is sent for it."""
    with running(tmp_path, ada()) as app:
        announce(app, RIVERS)
        assert jobs.prepare(app, NOW) == Counter({DeliveryState.EMPTY: 1})
        row = delivery_of(app, ADA)
        assert row.state is DeliveryState.EMPTY
        assert row.digest.empty_reason.startswith("The one new listing did not reach your floor")
        assert jobs.prepare(app, NOW) == Counter()
        assert app.store.next_attempt_at() is None


@pytest.mark.parametrize("when_empty", [WhenEmpty.NOTE, WhenEmpty.NEAREST])
def test_an_empty_day_is_mailed_to_who_wants_it(tmp_path: Path, when_empty: WhenEmpty) -> None:
    """A note or the near misses are a mail like any other."""
    with running(tmp_path, ada(when_empty=when_empty)) as app:
        announce(app, RIVERS)
        assert jobs.prepare(app, NOW) == Counter({DeliveryState.QUEUED: 1})


def test_before_the_first_reading_no_day_is_called_empty(tmp_path: Path) -> None:
    """It fails instead, saying whether a source was asked, and the subscriber stays due."""
    source = '[[sources]]\nname = "Papers"\nkind = "jsonl"\npath = "none.jsonl"\n'
    with running(tmp_path, ada(), sources=source) as app:
        with pytest.raises(DigestError, match=r"wait for the first source.*`digest ingest`"):
            jobs.prepare(app, NOW)
        asyncio.run(jobs.ingest(app, NOW, app.config.sources))
        with pytest.raises(DigestError, match=r"no source could be read so far: .*none\.jsonl"):
            jobs.prepare(app, NOW)
        assert len(app.store.due(NOW, 9)) == 1


def test_two_processes_open_one_row(tmp_path: Path) -> None:
    """Both prepare the same day at the same time; the ledger keeps one digest of each person."""
    people = [subscriber(f"reader{n}@example.org") for n in range(40)]
    with running(tmp_path, *people) as app, running(tmp_path, *people) as other:
        announce(app, *ATTENTION)
        threads = [threading.Thread(target=jobs.prepare, args=(a, NOW)) for a in (app, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert app.store.deliveries_by_state(NOW - DAY) == {DeliveryState.QUEUED: 40}


# --- ingest -----------------------------------------------------------------------------------

SOURCES = """
[[sources]]
name = "Good"
kind = "jsonl"
path = "good.jsonl"
max_age_days = 7
[[sources]]
name = "Bad"
kind = "jsonl"
path = "bad.jsonl"
"""


def write_lines(path: Path, *rows: dict[str, object]) -> None:
    """Write a file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_a_source_that_fails_keeps_no_other_out(tmp_path: Path) -> None:
    """Its run tells why, and the digest says that it could not be read."""
    write_lines(tmp_path / "good.jsonl", {"title": "Flash attention", "abstract": "Tiles."})
    (tmp_path / "bad.jsonl").write_text("{not json\n")
    with running(tmp_path, ada(), sources=SOURCES) as app:
        good, bad = asyncio.run(jobs.ingest(app, NOW, app.config.sources))
        assert (good.new, good.error) == (1, "")
        assert bad.error.startswith("source 'Bad': bad.jsonl: ")
        assert prepared(app, ADA) == {FOR_YOU: ["Flash attention"]}
        receipt = delivery_of(app, ADA).digest.receipt
    assert [run.source for run in receipt.sources if run.error] == ["Bad"]


def test_what_two_sources_announce_at_once_is_one_listing(tmp_path: Path) -> None:
    """Sources are read side by side, yet taken in one after the other, so that they meet."""
    rows: list[dict[str, object]] = [
        {"title": f"Paper {n}", "abstract": "Tiles.", "authors": ["A. B"]} for n in range(50)
    ]
    write_lines(tmp_path / "good.jsonl", *rows)
    write_lines(tmp_path / "bad.jsonl", *rows)
    with running(tmp_path, ada(), sources=SOURCES) as app:
        runs = asyncio.run(jobs.ingest(app, NOW, app.config.sources))
        assert sorted((run.new, run.joined) for run in runs) == [(0, 50), (50, 0)]
        assert len(app.store.recent_listings(999)) == 50


def test_the_old_and_the_revised_are_stored_and_not_mailed(tmp_path: Path) -> None:
    """They can be explained, and no digest shows them, not even for their votes."""
    rows: list[dict[str, object]] = [
        {"title": "Flash attention, old", "published_at": "2026-10-01", "votes": 7},
        {"title": "Flash attention, replaced", "announce": "replace", "votes": 8},
        {"title": "Flash attention, replaced elsewhere", "announce": "replace-cross"},
        {"title": "Flash attention, new", "published_at": "2026-11-19"},
        {"title": "Flash attention, crossed", "announce": "cross"},
    ]
    write_lines(tmp_path / "good.jsonl", *rows)
    (tmp_path / "bad.jsonl").write_text("")
    with running(tmp_path, ada(trending=9), sources=SOURCES) as app:
        asyncio.run(jobs.ingest(app, NOW, app.config.sources[:1]))
        shown = prepared(app, ADA)
        assert len(app.store.find_listings("Flash attention", 9)) == 5
    assert list(shown) == [FOR_YOU]
    assert sorted(shown[FOR_YOU]) == ["Flash attention, crossed", "Flash attention, new"]


def test_sources_are_read_again_when_their_time_has_come(tmp_path: Path) -> None:
    """Each by its own `every`."""
    write_lines(tmp_path / "good.jsonl", {"title": "Flash attention"})
    sources = SOURCES.replace('path = "good.jsonl"', 'path = "good.jsonl"\nevery = "6h"')
    with running(tmp_path, sources=sources.partition('[[sources]]\nname = "Bad"')[0]) as app:
        assert len(jobs.due_sources(app, NOW)) == 1
        asyncio.run(jobs.ingest(app, NOW, app.config.sources))
        assert jobs.due_sources(app, NOW + timedelta(hours=5, minutes=59)) == []
        assert len(jobs.due_sources(app, NOW + timedelta(hours=6))) == 1


def test_a_clock_that_was_ahead_silences_no_source(tmp_path: Path) -> None:
    """Runs of a year to come keep a source neither from being due nor out of the receipt."""
    write_lines(tmp_path / "good.jsonl", {"title": "Flash attention"})
    with running(tmp_path, sources=SOURCES.partition('[[sources]]\nname = "Bad"')[0]) as app:
        asyncio.run(jobs.ingest(app, NOW + timedelta(days=400), app.config.sources))
        assert len(jobs.due_sources(app, NOW)) == 1
        (run,) = asyncio.run(jobs.ingest(app, NOW, app.config.sources))
        assert summed(run, app.store.successes(NOW)["Good"]).new == 0


# --- deliver ----------------------------------------------------------------------------------


def test_b8_what_the_mail_cannot_hold_is_not_taken_for_shown(tmp_path: Path) -> None:
    """A hundred items with long Japanese abstracts: the ledger holds what the mail holds."""
    papers = [
        listing(f"flash attention {n}", abstract="注意機構を高速化する。" * 60) for n in range(60)
    ]
    one = subscriber(profile=profile(max_items=100, min_score=0.01))
    with running(tmp_path, one) as app:
        announce(app, *papers)
        jobs.prepare(app, NOW)
        delivery = delivery_of(app, one.email)
        shown = delivery.digest.listings
        text = render(app, delivery).text
        assert 0 < len(shown) < 60
        assert all(f"{paper.title}\n" in text for paper in shown)
        assert delivery.digest.receipt.shown == len(shown)
        assert delivery.digest.receipt.waiting == 60 - len(shown)
