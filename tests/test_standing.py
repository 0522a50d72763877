"""How a source stands by its calendar, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from digest.model import Listing, Source, SourceRun, Standing
from digest.standing import Share, carried, overdue, state_of, stood, summed, told, why_empty

ARXIV = Source("arXiv", "arxiv")
PAPERS = Source("Daily Papers", "huggingface")
BIORXIV = Source("bioRxiv", "biorxiv", every_s=6 * 3600)
JOURNAL = Source("A journal", "feed", url="https://example.org/feed")


def at(day: int, hour: int = 6, minute: int = 0) -> datetime:
    """A UTC moment of November 2026; the 20th is a Friday, the 26th Thanksgiving."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def on(day: int) -> date:
    """A day of November 2026."""
    return date(2026, 11, day)


def read(
    source: Source,
    now: datetime,
    *keys: str,
    dated: int | None = None,
    before: SourceRun | None = None,
    **fields: object,
) -> SourceRun:
    """A run that read listings of these keys, all of them new unless `new` says otherwise."""
    day = on(dated) if dated else None
    listings = [Listing(key, source.name, key, listed_on=day) for key in keys]
    run = SourceRun(source.name, now, read=len(keys), new=len(keys), batch_on=day)
    return carried(replace(run, **fields), source, before, listings)  # type: ignore[arg-type]  # by name


def failed(source: Source, now: datetime, before: SourceRun | None = None) -> SourceRun:
    """A run that got no answer."""
    error = f"source {source.name!r}: answered 503 Service Unavailable"
    wait = now + timedelta(minutes=50)
    return carried(SourceRun(source.name, now, error=error), source, before, [], wait)


FRIDAY = read(ARXIV, at(20), "a", "b", dated=20)

STANDS = [
    ("its list came", FRIDAY, at(20, 7), Standing.ON_TIME, ""),
    (
        "a weekend",
        read(ARXIV, at(21), dated=21, before=FRIDAY),
        at(21, 7),
        Standing.REST,
        "makes no announcement on Fridays and Saturdays",
    ),
    (
        "a holiday",
        read(ARXIV, at(27), before=read(ARXIV, at(26), "c", dated=26)),
        at(27, 7),
        Standing.REST,
        "makes no announcement on Thanksgiving",
    ),
    (
        "announced an hour ago",
        read(ARXIV, at(23, 2), before=FRIDAY),
        at(23, 2),
        Standing.DUE,
        "has no newer list yet than that of Thursday",
    ),
    (
        "twelve hours ago",
        read(ARXIV, at(23, 13), before=FRIDAY),
        at(23, 13),
        Standing.LATE,
        "is late: its newest list is that of Thursday",
    ),
    (
        "the old list again",
        read(ARXIV, at(24, 13), "a", dated=23, new=0, before=read(ARXIV, at(23), "a", dated=23)),
        at(24, 13),
        Standing.REPEATED,
        "has repeated yesterday’s list",
    ),
    (
        "the old ids under a new date",
        read(ARXIV, at(23, 13), "a", "b", dated=23, new=0, before=FRIDAY),
        at(23, 13),
        Standing.REPEATED,
        "has repeated its list of Thursday",
    ),
    (
        "three lists missed",
        read(ARXIV, at(25, 13), before=FRIDAY),
        at(25, 13),
        Standing.SILENT,
        "has brought nothing since Thursday, longer than it should",
    ),
    (
        "not asked since",
        FRIDAY,
        at(25, 13),
        Standing.ON_TIME,
        "",
    ),
    (
        "no list on Saturday",
        read(PAPERS, at(21), "p", dated=20, before=read(PAPERS, at(20), "p", dated=20)),
        at(21, 7),
        Standing.REST,
        "has no list at weekends",
    ),
    (
        "a feed within its rhythm",
        read(JOURNAL, at(14), "x", before=read(JOURNAL, at(8), "x")),
        at(14, 7),
        Standing.ON_TIME,
        "",
    ),
    (
        "a feed that fell silent",
        read(JOURNAL, at(24), "x", new=0, before=read(JOURNAL, at(8), "x")),
        at(24, 7),
        Standing.SILENT,
        "has brought nothing since 8 November, longer than it should",
    ),
]


@pytest.mark.parametrize(
    ("run", "now", "standing", "said"), [row[1:] for row in STANDS], ids=[row[0] for row in STANDS]
)
def test_the_calendar_predicts_and_the_source_decides(
    run: SourceRun, now: datetime, standing: Standing, said: str
) -> None:
    """A rest, a delay, a repeated list and a silence are told apart, and each has its words."""
    found = stood(run, now)
    assert found.standing is standing
    assert state_of(found, now.date()) == said


def test_a_feed_that_is_slow_by_habit_is_not_silent() -> None:
    """Twice the longest wait so far is let pass before a feed without a calendar is named."""
    first = read(JOURNAL, at(1) - timedelta(days=20), "x")
    second = read(JOURNAL, at(1), "y", before=first)
    assert second.longest_gap_s == 20 * 86400
    later = read(JOURNAL, at(1) + timedelta(days=39), "y", new=0, before=second)
    assert stood(later, later.started_at).standing is Standing.ON_TIME
    at_last = read(JOURNAL, at(1) + timedelta(days=41), "y", new=0, before=later)
    assert stood(at_last, at_last.started_at).standing is Standing.SILENT


@pytest.mark.parametrize(
    ("timezone", "said"),
    [
        ("Europe/London", "06:10 GMT; we try again at 07:30 GMT"),
        ("Asia/Kolkata", "11:40 IST; we try again at 13:00 IST"),
        ("Asia/Kathmandu", "11:55 UTC+05:45; we try again at 13:15 UTC+05:45"),
        ("America/Los_Angeles", "Thursday 22:10 PST; we try again Thursday 23:30 PST"),
        ("Mars/Olympus", "06:10 UTC; we try again at 07:30 UTC"),
    ],
)
def test_a_failure_says_since_when_and_when_it_is_tried_again(timezone: str, said: str) -> None:
    """Times are in the reader's zone, which is named; the first failure counts, not the last."""
    first = failed(BIORXIV, at(20, 6, 10), read(BIORXIV, at(20, 0), "a"))
    again = failed(BIORXIV, at(20, 6, 40), first)
    assert again.failing_since == at(20, 6, 10)
    run = stood(again, at(20, 7))
    whole = f"has not answered since {said} (503 Service Unavailable)"
    assert state_of(run, on(20), timezone) == whole
    assert state_of(run, on(20)) == "could not be read"


def test_a_list_that_comes_at_a_weekend_is_told_and_the_rest_is_not() -> None:
    """Right after it came and for the day; with Friday's list, read on Saturday, it rests."""
    came = read(PAPERS, at(21, 6), "s", dated=21)
    again = read(PAPERS, at(21, 9), "s", dated=21, before=came, new=0)
    assert stood(again, at(21, 10)).standing is Standing.ON_TIME
    for run in (stood(came, at(21, 7)), summed(stood(again, at(21, 10)), [came, again])):
        assert (run.standing, state_of(run, on(21), "UTC")) == (Standing.ON_TIME, "")
        assert told(run, on(21)) == "Daily Papers listed 1 on Saturday"
    friday = read(PAPERS, at(21, 6), "f", dated=20)
    assert stood(friday, at(21, 7)).standing is Standing.REST
    assert summed(stood(friday, at(21, 7)), [friday]).standing is Standing.REST
    renamed = read(PAPERS, at(21, 9), "f", dated=21, before=read(PAPERS, at(20, 9), "f", dated=20))
    assert stood(replace(renamed, new=0), at(21, 10)).standing is Standing.REST


def test_an_answer_that_cannot_be_read_is_not_called_none() -> None:
    """Not while it fails, whatever it said last, and in its own words; an answer ends that too."""
    junk = SourceRun(BIORXIV.name, at(20, 6), error="u: answered 404 Not Found", unreadable=True)
    first = carried(junk, BIORXIV, None, [])
    since = "could not be read since 06:00 UTC"
    assert state_of(first, on(20), "UTC").startswith(since)
    assert state_of(first, on(20), "UTC").endswith("(u: answered 404 Not Found)")
    then = failed(BIORXIV, at(20, 6, 30), first)
    assert state_of(then, on(20), "UTC").startswith(since)
    back = read(BIORXIV, at(20, 10), "a", before=then)
    assert "has not answered since 11:00" in state_of(
        failed(BIORXIV, at(20, 11), back), on(20), "UTC"
    )


@pytest.mark.parametrize(
    "wait",
    ["not asked before 2026-11-20 07:00 UTC", "it is asked once more after 2026-11-27 06:00 UTC"],
)
def test_when_it_is_asked_again_is_said_once(wait: str) -> None:
    """A run within the wait names its end as well; the sentence does so in the reader's zone."""
    error = f"a: no address is known; {wait}; b: no connection; {wait}"
    run = carried(SourceRun(BIORXIV.name, at(20, 6), error=error), BIORXIV, None, [], at(20, 7))
    assert state_of(run, on(20), "UTC") == (
        "has not answered since 06:00 UTC; we try again at 07:00 UTC"
        " (a: no address is known; b: no connection)"
    )


def test_a_time_to_try_again_that_has_passed_is_not_told() -> None:
    """Only what is still to come is promised; an answer ends the failure."""
    run = failed(BIORXIV, at(20))
    assert "try again" not in state_of(stood(run, at(20, 9)), on(20), "UTC")
    back = read(BIORXIV, at(20, 10), "a", before=run)
    assert (back.failing_since, back.retry_at) == (None, None)


def test_a_source_is_said_to_be_asked_again_when_it_is() -> None:
    """Not within five minutes; a server that asks for days gets them; else as after a success."""
    soon = carried(SourceRun("a", at(20), error="x"), ARXIV, None, [], at(20))
    assert soon.retry_at == at(20, 6, 5)
    late = carried(SourceRun("a", at(20), error="x"), ARXIV, None, [], at(28))
    assert late.retry_at == at(28)
    assert carried(SourceRun("a", at(20), error="x"), ARXIV, None, []).retry_at == at(20, 7)


SUMS = [
    (
        "one list, read three times",
        [FRIDAY, replace(FRIDAY, new=0), read(ARXIV, at(20, 9), before=FRIDAY)],
        "arXiv announced 2 on Thursday",
    ),
    (
        "its own count",
        [replace(FRIDAY, announced=239, read=239, new=180, joined=59, too_old=3)],
        "arXiv announced 239 on Thursday; read 239, 180 of them new; 3 too old to send",
    ),
    (
        "what is kept out, each by its reason",
        [replace(FRIDAY, announced=239, read=239, new=180, revised=31, undated=2)],
        "arXiv announced 239 on Thursday; read 239, 180 of them new; 31 revised, not sent;"
        " 2 undated, not sent",
    ),
    (
        "a week of lists",
        [read(ARXIV, at(day), *"abc"[: day - 15], dated=day) for day in (16, 17, 18)],
        "arXiv announced 6 in 3 lists",
    ),
    (
        "a feed that is read again and again",
        [read(JOURNAL, at(20, hour), *"abcd", new=hour == 1) for hour in (1, 2, 3)],
        "A journal brought 4, 1 of them new",
    ),
    (
        "a list at a weekend after all",
        [stood(read(PAPERS, at(21), "p", dated=21), at(21, 7))],
        "Daily Papers listed 1 on Saturday",
    ),
    (
        "nothing in it",
        [read(JOURNAL, at(20))],
        "A journal brought nothing new",
    ),
]


@pytest.mark.parametrize(("runs", "said"), [row[1:] for row in SUMS], ids=[row[0] for row in SUMS])
def test_a_receipt_counts_each_list_once(runs: list[SourceRun], said: str) -> None:
    """However often a list was read within the days of a digest, it is one announcement."""
    total = summed(runs[-1], runs)
    assert told(total, max(on(20), total.list_on or on(20))) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (Share(), ""),
        (Share(0), "; none fits you"),
        (Share(1, 1), "; 1 fits you; 1 shown"),
        (Share(1400, 12), "; 1,400 fit you; 12 shown"),
        (Share(0, 2, (("a", 1), ("b", 2))), "; none fits you; 2 shown (1 also in a, 2 also in b)"),
    ],
)
def test_a_readers_share_ends_the_sentence(share: Share, said: str) -> None:
    """What fits and what is shown, and where that stands as well."""
    assert str(share) == said


def test_a_list_without_a_day_is_known_by_all_of_its_items() -> None:
    """An index dates some items by the day it took them in; new ones make it a new list."""
    source = Source("An index", "crossref", query="looms")
    undated = Listing("a", source.name, "a")
    dated = [Listing(key, source.name, key, listed_on=on(20)) for key in "bc"]
    first = carried(SourceRun(source.name, at(20)), source, None, [undated, dated[0]])
    second = carried(SourceRun(source.name, at(21)), source, first, [undated, dated[1]])
    assert second.list_at == at(21)


def test_what_an_operator_should_look_at() -> None:
    """Silent sources, and those that have failed for more than a day; a rest is neither."""
    silent = read(ARXIV, at(25, 13), before=FRIDAY)
    down = failed(BIORXIV, at(25), failed(BIORXIV, at(24)))
    just = failed(PAPERS, at(25, 12))
    rests = read(ARXIV, at(21), dated=21, before=FRIDAY)
    assert [run.source for run in overdue([silent, down, just], at(25, 13))] == ["arXiv", "bioRxiv"]
    assert not overdue([rests], at(21, 13))


REST = stood(read(ARXIV, at(21), dated=21, before=FRIDAY), at(21, 7))
DOWN = failed(BIORXIV, at(21))

RESTS = "arXiv makes no announcement on Fridays and Saturdays"
EMPTY = [
    (
        (9, 0.2, (FRIDAY,)),
        "None of the 9 new listings reached your floor of 0.25; the nearest scored 0.20.",
    ),
    (
        (1, 0.2, (FRIDAY,)),
        "The one new listing did not reach your floor of 0.25; it scored 0.20.",
    ),
    (
        (1, 0.0, (FRIDAY,)),
        "The one new listing did not reach your floor of 0.25; none of your keywords stands in it.",
    ),
    ((0, 0.0, ()), "No source has been read yet."),
    ((0, 0.0, (DOWN,)), "No source could be read (bioRxiv could not be read)."),
    ((0, 0.0, (FRIDAY,)), "No source announced anything that is new to you."),
    ((0, 0.0, (REST, FRIDAY)), f"Nothing new: {RESTS}."),
    ((0, 0.0, (REST, DOWN)), f"Nothing new: {RESTS} (bioRxiv could not be read)."),
    ((0, 0.0, (REST,) * 5), f"Nothing new: {RESTS}; {RESTS}; {RESTS}; 2 more like these."),
]


@pytest.mark.parametrize(("day", "reason"), EMPTY)
def test_an_empty_day_uses_the_receipts_words(
    day: tuple[int, float, tuple[SourceRun, ...]], reason: str
) -> None:
    """A weekend, a stale source and nothing above the floor are told apart."""
    considered, nearest, sources = day
    assert why_empty(considered, nearest, 0.25, sources, on(21)) == reason
