"""OpenReview: what is asked of it, how far its pages are followed, what a note says."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from digest.backlog import Held, held_back
from digest.model import Source, SourceRun
from tests.ingest.site import DAY, MONDAY, Site
from tests.sources.shared import asked, query_of, read

VENUE = "Looms.org/2027/Conference"
SOURCE = Source("Looms", "openreview", categories=(VENUE,))

Note = dict[str, object]


def _stamp(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _note(number: int, at: datetime, **dates: datetime) -> Note:
    """A submission that was handed in, and changed last, at that time."""
    stamps = {name: _stamp(when) for name, when in dates.items()}
    content = {"title": {"value": f"Pattern {number}"}, "venueid": {"value": f"{VENUE}/Submission"}}
    return {
        "id": f"n{number}",
        "forum": f"n{number}",
        "tcdate": _stamp(at),
        "tmdate": _stamp(at),
        "content": content,
        **stamps,
    }


def _service(submissions: Sequence[Note], accepted: Sequence[Note] = ()) -> Callable[..., str]:
    """OpenReview with one venue: filters, sorts and pages as asked."""

    def answer(path: str, query: dict[str, str]) -> str:
        assert path.endswith("notes")
        by_id = query.get("content.venueid") == VENUE
        assert by_id or query["invitation"] == f"{VENUE}/-/Submission"
        key, _, order = query["sort"].partition(":")
        found = sorted(
            (
                note
                for note in (accepted if by_id else submissions)
                if int(str(note["tcdate"])) >= int(query.get("mintcdate", 0))
            ),
            key=lambda note: int(str(note[key])),
            reverse=order == "desc",
        )
        first, most = int(query["offset"]), int(query["limit"])
        return json.dumps({"notes": found[first : first + most], "count": len(found)})

    return answer


def _submissions(count: int, newest: datetime, step: timedelta) -> list[Note]:
    return [_note(number, newest - number * step) for number in range(count)]


def test_a_venue_is_asked_by_its_invitation_and_its_own_id() -> None:
    """Under the id alone only what was accepted stands; an invitation is taken as it is."""
    first, second = asked("openreview", categories=(VENUE,))
    assert query_of(first)["invitation"] == f"{VENUE}/-/Submission"
    assert query_of(second)["content.venueid"] == VENUE
    assert {query_of(url)["sort"] for url in (first, second)} == {"tmdate:desc"}
    (own,) = asked("openreview", categories=("Looms.org/Archive/-/Blind_Submission",))
    assert query_of(own)["invitation"] == "Looms.org/Archive/-/Blind_Submission"


def test_all_that_a_large_conference_opens_at_once_is_read(tmp_path: Path) -> None:
    """More than a thousand submissions of one day come in pages, each once."""
    notes = _submissions(1_203, MONDAY, timedelta(seconds=1))
    site = Site(tmp_path, _service(notes))
    (run,) = site.ingest([SOURCE], MONDAY)
    assert (run.error, run.read, run.new) == ("", 1_203, 1_203)
    offsets = [query_of(f"?{one}")["offset"] for one in site.asked if "invitation" in one]
    assert offsets == ["0", "500", "1000"]
    assert len(site.mailable(MONDAY)) == 1_203


def test_old_changes_are_followed_no_further(tmp_path: Path) -> None:
    """The look ends at the page that reaches back beyond two weeks."""
    notes = _submissions(2_000, MONDAY, timedelta(minutes=30))
    site = Site(tmp_path, _service(notes))
    (run,) = site.ingest([SOURCE], MONDAY)
    assert (run.error, run.read) == ("", 1_000)


def test_the_past_is_read_to_its_end_from_that_day_on(tmp_path: Path) -> None:
    """The first pages are old, and that ends nothing; what is older than the day is not asked."""
    notes = _submissions(1_700, MONDAY, timedelta(hours=1))
    site = Site(tmp_path, _service(notes, accepted=notes[:3]))
    (run,) = site.ingest([SOURCE], MONDAY, since=MONDAY.date() - 60 * DAY)
    assert (run.error, run.read, run.new) == ("", 1_453 + 3, 1_453)
    assert site.mailable(MONDAY) == set()
    assert {query_of(f"?{one}")["sort"] for one in site.asked} == {"tcdate:asc"}


def test_what_is_accepted_is_no_second_entry(tmp_path: Path) -> None:
    """A paper that stands under the invitation and the id is one."""
    notes = _submissions(2, MONDAY, timedelta(hours=1))
    site = Site(tmp_path, _service(notes, accepted=notes[:1]))
    (run,) = site.ingest([SOURCE], MONDAY)
    assert (run.read, run.new) == (3, 2)


@pytest.mark.parametrize(
    ("dates", "on"),
    [
        ({"odate": 3, "pdate": 5, "cdate": 1}, 3),
        ({"pdate": 5, "cdate": 1}, 5),
        ({"cdate": 1}, 1),
        ({}, 9),
        ({"odate": 4000}, 9),
    ],
)
def test_a_paper_is_as_old_as_it_is_online(dates: dict[str, int], on: int) -> None:
    """The day it went online, else that it came out, else that it was written or handed in."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    stamps = {name: start + (day - 1) * DAY for name, day in dates.items()}
    note = _note(1, start + 8 * DAY, **stamps)
    (one,) = read("openreview", json.dumps({"notes": [note]})).listings
    assert one.published_at is not None
    assert one.published_at.date() == date(2026, 11, on)


@pytest.mark.parametrize(
    ("place", "fate"),
    [("Withdrawn_Submission", "withdrawn"), ("Desk_Rejected_Submission", "desk rejected")],
)
def test_what_is_out_of_the_running_is_no_news(place: str, fate: str) -> None:
    """It is a note on the paper, and one that is first met so is not mailed."""
    note = _note(1, MONDAY)
    note["content"] = {"title": {"value": "Pattern"}, "venueid": {"value": f"{VENUE}/{place}"}}
    (one,) = read("openreview", json.dumps({"notes": [note]})).listings
    assert one.note == fate
    assert held_back([one], 7, MONDAY) == {one.key: Held.REVISED}


def test_a_list_of_your_own_address_is_read_one_page_deep(tmp_path: Path) -> None:
    """Its parameters are yours."""
    own = Source("Looms", "openreview", url="https://api2.openreview.net/notes?limit=500")
    notes = _submissions(500, MONDAY, timedelta(seconds=1))
    site = Site(tmp_path, lambda path, query: json.dumps({"notes": notes}))
    runs: list[SourceRun] = site.ingest([own], MONDAY)
    assert [(run.error, run.read) for run in runs] == [("", 500)]
    assert len(site.asked) == 1
