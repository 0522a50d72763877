"""Which source speaks first of a paper that several have: the config says it, not the network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from digest import jobs
from digest.model import Listing, Source
from tests.ingest.site import MONDAY, Site

PAPER = "https://arxiv.org/abs/2611.00001"
FIRST, SECOND = (
    Source(name, "feed", url=f"https://{name}.example.org/feed.xml") for name in ("first", "second")
)


def _feed(title: str, link: str = PAPER) -> str:
    return f"<rss><channel><item><title>{title}</title><link>{link}</link></item></channel></rss>"


async def _late(path: str, query: dict[str, str]) -> str:
    """What a host answers: the first names its feed by a page, and gives it well after the second.

    All hosts are one server here, which is asked by one at a time.
    """
    if path.startswith("second"):
        return _feed("As the second has it")
    if not path.endswith("late.xml"):
        return "<html><link rel='alternate' type='application/rss+xml' href='late.xml'></html>"
    await asyncio.sleep(0.3)
    return _feed("As the first has it")


def _kept(site: Site, sources: list[Source]) -> list[Listing]:
    kept: list[Listing] = []
    runs = site.run(lambda app: kept.extend(app.store.recent_listings(9)), sources, MONDAY)
    assert [run.error for run in runs] == [""] * len(sources)
    return kept


def test_the_first_source_of_the_config_says_the_title(tmp_path: Path) -> None:
    """However late it answers; the other is where the paper was seen as well."""
    (one,) = _kept(Site(tmp_path, _late), [FIRST, SECOND])
    assert one.title == "As the first has it"
    assert (one.source, one.also_in) == ("first", ("second",))


def test_the_other_order_gives_the_other_title(tmp_path: Path) -> None:
    """The source that answers soon waits for nobody behind it."""
    (one,) = _kept(Site(tmp_path, _late), [SECOND, FIRST])
    assert (one.title, one.source) == ("As the second has it", "second")


def test_a_list_of_feeds_is_taken_in_its_own_order(tmp_path: Path) -> None:
    """Its feeds are asked side by side, and the first of the list speaks first."""
    outlines = "".join(
        f"<outline text='{name}' xmlUrl='https://{name}.example.org/f'/>"
        for name in ("first", "second")
    )
    (tmp_path / "feeds.opml").write_text(f"<opml>{outlines}</opml>", "utf-8")
    (one,) = _kept(Site(tmp_path, _late), [Source("Feeds", "opml", path="feeds.opml")])
    assert (one.title, one.source) == ("As the first has it", "first")


def test_a_source_that_fails_lets_the_others_in(tmp_path: Path) -> None:
    """Who waits for it waits no longer than it takes to fail."""

    async def answer(path: str, query: dict[str, str]) -> str | int:
        told = await _late(path, query)
        return 500 if path.startswith("first") else told

    site = Site(tmp_path, answer)
    broken, fine = site.ingest([FIRST, SECOND], MONDAY)
    assert "answered 500" in broken.error
    assert (fine.error, fine.new) == ("", 1)


def test_a_source_waits_for_its_turn_no_longer_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After that it goes in before a slower one, which joins it."""
    monkeypatch.setattr(jobs, "TURN_S", 0)
    (one,) = _kept(Site(tmp_path, _late), [FIRST, SECOND])
    assert (one.source, one.also_in) == ("second", ("first",))
