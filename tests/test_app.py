"""What the parts of a service keep between ticks, and when they are made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from digest.store.collected import Intake
from tests.running import announce, running
from tests.samples import NOW, listing, profile

DAY = timedelta(days=1)


def test_the_month_and_the_floors_are_kept_while_no_listing_comes(tmp_path: Path) -> None:
    """The stored days are read again only when a listing came or the day is another."""
    wanted = [profile(per_day=2), profile(min_score=0.4)]
    with running(tmp_path) as app:
        announce(app, *(listing(f"Flash attention {n}") for n in range(6)))
        month, fitted = app.month(NOW), app.fitted(wanted, NOW)
        assert app.month(NOW + timedelta(hours=1)) is month
        assert app.fitted(wanted, NOW)[0] is fitted[0]
        assert fitted[1] == wanted[1]
        announce(app, listing("Another on flash attention"))
        assert len(app.month(NOW)) == len(month) + 1
        assert app.fitted(wanted, NOW)[0] is not fitted[0]
        assert app.month(NOW + DAY) is not app.month(NOW)


def test_the_fitted_floor_does_not_hang_on_who_else_asks(tmp_path: Path) -> None:
    """A profile gets the same floor alone and among others."""
    one, other = profile(per_day=1), profile(per_day=3)
    with running(tmp_path) as app:
        titles = [f"Flash {'attention ' * n}" for n in range(6)]
        announce(app, *(replace(listing(title), listed_on=None) for title in titles))
        alone = app.fitted([one], NOW)
        assert app.fitted([other, one], NOW)[1] == alone[0]


def test_nobody_who_asks_for_no_number_pays_for_the_month(tmp_path: Path) -> None:
    """Profiles with floors of their own come back as they are, without a stored day read."""
    with running(tmp_path) as app:
        assert app.fitted([profile()], NOW) == [profile()]
        assert app._month is None  # what is asked here is just whether it was read


def test_what_the_archive_says_outlasts_new_listings(tmp_path: Path) -> None:
    """It is worked out when the archive is another, and listings of today are not in it yet."""
    with running(tmp_path) as app:
        announce(app, *(listing(f"Old flash attention {n}") for n in range(3)), at=NOW - 20 * DAY)
        first = app.matcher(NOW)
        archive = first.related
        assert archive
        assert len(archive.batch) == 3
        announce(app, listing("New on flash attention"))
        second = app.matcher(NOW)
        assert second is not first
        assert second.statistics.listings == first.statistics.listings + 1
        assert second.related is archive
        later = app.matcher(NOW + 20 * DAY).related
        assert later
        assert len(later.batch) == 4


def test_the_archive_is_read_once_a_day(tmp_path: Path) -> None:
    """Its texts, not whenever a listing comes; and again when one of it may be mailed after all."""
    with running(tmp_path) as app:
        old = [listing(f"Old flash attention {n}") for n in range(3)]
        app.store.add_listings(old, [], {"flash": 3}, {old[0].key}, NOW - 20 * DAY)
        app.matcher(NOW)
        asked: list[str] = []
        app.store.db.conn.set_trace_callback(asked.append)  # type: ignore[attr-defined]  # SQLite's
        for number in range(3):
            announce(app, listing(f"New on flash attention {number}"))
            asked.clear()
            assert len(app.matcher(NOW).archive) == 3
            assert any("FROM terms" in one for one in asked)
            assert not [one for one in asked if "body" in one]
        app.store.take_in(lambda look: Intake([listing("Newest")], released=[1]), NOW)
        assert len(app.matcher(NOW).archive) == 2, "what is in a digest must not speak for itself"
        assert any("body" in one for one in asked)
