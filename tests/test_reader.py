"""One source read to its end: lists of feeds, failing addresses, what is remembered."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from digest.fetcher import Fetcher, Remembered
from digest.model import Source
from digest.reader import Known, Reading, asks_again_at, read_source
from tests.fetcher.server import Stub, serving
from tests.samples import NOW

FEED = """<rss version="2.0"><channel><title>t</title><item>
<title>{title}</title><link>https://example.org/{title}</link></item></channel></rss>"""


def opml(stub: Stub, *names: str) -> str:
    """A list of feeds on the stub."""
    rows = "".join(f'<outline text="{name}" xmlUrl="{stub.url("/" + name)}"/>' for name in names)
    return f'<opml version="2.0"><body>{rows}</body></opml>'


async def answer(request: web.Request) -> web.Response:
    """A feed named after its path; `dead` is missing, `odd` is no feed."""
    name = request.path.strip("/")
    if name == "dead":
        return web.Response(status=404)
    if name == "odd":
        return web.Response(text="good morning", headers={"ETag": '"1"'})
    return web.Response(text=FEED.format(title=name), content_type="application/rss+xml")


async def reading_of(stub: Stub, source: Source, base: Path, known: Known | None = None) -> Reading:
    """What a source on the stub gives."""
    async with Fetcher("test", allowed_hosts=[stub.host], clock=lambda: NOW) as fetcher:
        reading = Reading(source)
        await read_source(reading, fetcher, known or Known(), base, NOW)
    return reading


def test_s10_one_dead_feed_of_a_list_keeps_the_others(tmp_path: Path) -> None:
    """A list in a file: every feed that answers is read, the dead one is named."""

    async def run() -> None:
        async with serving(answer) as stub:
            (tmp_path / "feeds.opml").write_text(opml(stub, "one", "dead", "two"))
            got = await reading_of(stub, Source("list", "opml", path="feeds.opml"), tmp_path)
        assert sorted(one.title for one in got.listings) == ["one", "two"]
        assert "/dead" in got.error

    asyncio.run(run())


def test_a_failed_address_is_remembered_and_asked_for_later(tmp_path: Path) -> None:
    """The wait that a failure asks for stands in what is remembered."""

    async def run() -> None:
        async with serving(answer) as stub:
            url = stub.url("/dead")
            got = await reading_of(stub, Source("dead", "feed", url=url), tmp_path)
        assert got.error
        again = asks_again_at(got.remember)
        assert again
        assert again > NOW
        assert asks_again_at({}) is None

    asyncio.run(run())


def test_a_body_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    """Its validators are not kept: else the server would answer that nothing has changed."""

    async def run() -> None:
        async with serving(answer) as stub:
            url = stub.url("/odd")
            got = await reading_of(stub, Source("odd", "feed", url=url), tmp_path)
        assert got.error
        assert not [m for m in got.remember.values() if Remembered.from_json(m).etag]

    asyncio.run(run())


RELATIVE = {
    "/new/feed.xml": "<rss><channel><item><title>A</title><link>a</link></item></channel></rss>",
    "/new/feed.json": '{"version": "https://jsonfeed.org/version/1.1", "items": '
    '[{"id": "1", "title": "A", "url": "a"}]}',
    "/new/named.xml": "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/elsewhere/'>"
    "<entry><title>A</title><link href='a'/></entry></feed>",
    "/new/rss.xml": "<rss xml:base='/elsewhere/'><channel><link>/</link>"
    "<item><title>A</title><link>a</link></item></channel></rss>",
    "/new/page.html": "<!doctype html><link rel='alternate' type='application/rss+xml'"
    " href='feed.xml'>",
    "/new/based.html": "<!doctype html><base href='/other/'><link rel='alternate'"
    " type='application/rss+xml' href='up.xml'>",
    "/other/down.xml": "<rss><channel><item><title>A</title><link>a</link></item></channel></rss>",
}


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("feed.xml", "/new/a"),
        ("feed.json", "/new/a"),
        ("named.xml", "/elsewhere/a"),
        ("rss.xml", "/elsewhere/a"),
        ("page.html", "/new/a"),
        ("based.html", "/other/a"),
    ],
)
def test_links_are_relative_to_where_a_redirect_led(tmp_path: Path, name: str, page: str) -> None:
    """Unless the text says otherwise; of feeds, of pages that name one, of the feed they name."""

    async def moved(request: web.Request) -> web.Response:
        if request.path.startswith("/old/"):
            return web.Response(status=302, headers={"Location": f"/new/{request.path[5:]}"})
        if request.path == "/other/up.xml":
            return web.Response(status=301, headers={"Location": "down.xml"})
        return web.Response(text=RELATIVE[request.path], content_type="text/plain")

    async def run() -> None:
        async with serving(moved) as stub:
            source = Source("Moved", "feed", url=stub.url(f"/old/{name}"))
            got = await reading_of(stub, source, tmp_path)
            assert got.error == ""
            assert [one.url for one in got.listings] == [stub.url(page)]

    asyncio.run(run())


def test_a_page_that_leads_back_to_itself_is_a_fault(tmp_path: Path) -> None:
    """A feed that was taken down and leads to a front page that still names it is no empty feed."""

    async def front(request: web.Request) -> web.Response:
        link = '<link rel="alternate" type="application/rss+xml" href="/feed">'
        return web.Response(text=f"<!doctype html>{link}", content_type="text/html")

    async def run() -> None:
        async with serving(front) as stub:
            source = Source("gone", "feed", url=stub.url("/feed"))
            got = await reading_of(stub, source, tmp_path)
            assert len(stub.seen) == 1
        assert "leads back to itself" in got.error
        assert asks_again_at(got.remember)

    asyncio.run(run())


def test_several_faults_are_counted(tmp_path: Path) -> None:
    """The first three faults are told, with how many more there are."""
    source = Source("pages", "page", path="*.txt")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (tmp_path / name).write_text("not a page")

    async def run() -> Reading:
        async with Fetcher("test", clock=lambda: NOW + timedelta()) as fetcher:
            reading = Reading(source)
            await read_source(reading, fetcher, Known(), tmp_path, NOW)
        return reading

    got = asyncio.run(run())
    assert all(name in got.error for name in ("a.txt", "b.txt", "c.txt"))
    assert got.error.endswith("(and 1 more)")


def test_a_fault_that_several_pages_have_in_common_is_told_once() -> None:
    """A site that cannot be found is one fault, and leaves room for others."""
    reading = Reading(Source("pages", "page"))
    for fault in ("no address is known", "no address is known", "not a page"):
        reading.fail(fault)
    assert reading.error == "no address is known; not a page"
