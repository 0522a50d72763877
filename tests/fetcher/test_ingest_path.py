"""Recordings served by a real server come in as they do from a file, whatever the headers say."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from digest.model import Source
from digest.sources import Request, read_batch
from tests.fetcher.server import fetcher_for, serving
from tests.sources.shared import NOW, recording

_SERVED = [
    ("huggingface", "huggingface/daily_papers_2026-06-12.json", "application/json", 30),
    ("arxiv", "arxiv_rss/quant-ph_2025-04-28.rss.xml", "text/xml", 81),
    ("arxiv", "arxiv_rss/cs.CL_weekend_2026-08-01.rss.xml", "text/xml", 0),
    ("biorxiv", "biorxiv/plant_biology_2019.rss1.rdf", "application/rdf+xml", 30),
    ("pubmed", "pubmed/efetch_ai_radiology_2026-06.xml", "text/xml; charset=UTF-8", 5),
    ("feed", "feeds/kc0011.rss", "text/xml; charset=utf-8", 20),
    ("feed", "feeds/rss_1.0_iso8859.xml", "application/rss+xml; charset=us-ascii", 1),
    ("feed", "feeds/4fsodonline.atom", "text/plain", 25),
    ("feed", "jsonfeed/3960.json", "text/html", 20),
]


@pytest.mark.parametrize(("kind", "path", "content_type", "count"), _SERVED)
def test_recordings_come_in_over_http(kind: str, path: str, content_type: str, count: int) -> None:
    """The body decides, not a wrong charset; packed or not, the listings are the same."""
    body = recording(f"payloads/{path}")
    source = Source("served", kind)

    async def handler(request: web.Request) -> web.Response:
        answer = web.Response(body=body, headers={"Content-Type": content_type})
        answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def run() -> bytes | None:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            return (await fetcher.fetch(source, stub.ask())).body

    fetched = asyncio.run(run())
    assert fetched == body
    assert len(read_batch(source, fetched, NOW).listings) == count


def test_a_page_leads_to_the_feed_it_names() -> None:
    """The address of a web page is enough: its feed is asked next."""
    page = b"<!doctype html><link rel='alternate' type='application/rss+xml' href='/feed.xml'>"
    feed = b"<rss><channel><item><title>On Heat</title></item></channel></rss>"

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=feed if request.path == "/feed.xml" else page)

    async def run() -> list[str]:
        async with serving(handler) as stub, fetcher_for(stub) as fetcher:
            source = Source("site", "feed", url=stub.url("/blog"))
            waiting: Request | None = Request(source.url)
            titles: list[str] = []
            while waiting:
                fetched = await fetcher.fetch(source, waiting)
                batch = read_batch(source, fetched.body or b"", NOW)
                titles += [listing.title for listing in batch.listings]
                waiting = batch.next
            return titles

    assert asyncio.run(run()) == ["On Heat"]
