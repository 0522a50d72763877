"""A service whose sources are all answered by a function of the test, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from digest import jobs
from digest.app import App
from digest.model import Source, SourceRun
from tests.fetcher.server import Clock, Rerouted, Stub, serving
from tests.running import running

Told = str | int
Answer = Callable[[str, dict[str, str]], Told | Awaitable[Told]]
"""What the stub answers to a host with its path, and the parameters: a text, or a status."""

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ARXIV = Source("arXiv", "arxiv", categories=("cs.CL",))
DAILY = Source("Daily", "huggingface")


class Site:
    """A service whose sources are all answered by one function; `asked` holds what was asked."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self._folder = folder
        self._answer = answer
        self.asked: list[str] = []
        self.conditions: list[str] = []

    async def _handle(self, request: web.Request) -> web.Response:
        path = request.path.strip("/")
        query = {
            name: values[0]
            for name, values in parse_qs(urlsplit(str(request.rel_url)).query).items()
        }
        self.asked.append(f"{path}?{request.query_string}")
        self.conditions.append(request.headers.get("If-None-Match", ""))
        if request.headers.get("If-None-Match") == '"same"':
            return web.Response(status=304)
        told = self._answer(path, query)
        told = await told if isinstance(told, Awaitable) else told
        if isinstance(told, int):
            return web.Response(status=told)
        return web.Response(text=told, headers={"ETag": '"v"'})

    def run(
        self,
        act: Callable[[App], object],
        sources: Sequence[Source],
        now: datetime,
        **options: object,
    ) -> list[SourceRun]:
        """The runs of an ingest at that time, the store looked at by `act` afterwards."""

        async def go(app: App) -> list[SourceRun]:
            async with serving(self._handle) as stub:
                local = replace(app, fetcher=lambda: self._fetcher(stub, now))
                if since := options.get("since"):
                    assert isinstance(since, date)
                    return await jobs.backfill(local, now, sources, since)
                return await jobs.ingest(local, now, sources, dry=bool(options.get("dry")))

        self.asked.clear()
        self.conditions.clear()
        with running(self._folder) as app:
            runs = asyncio.run(go(app))
            act(app)
        return runs

    def _fetcher(self, stub: Stub, now: datetime) -> Rerouted:
        clock = Clock()
        clock.now = now
        return Rerouted(stub, clock)

    def ingest(
        self, sources: Sequence[Source], now: datetime, **options: object
    ) -> list[SourceRun]:
        """The runs of an ingest at that time."""
        return self.run(lambda app: None, sources, now, **options)

    def mailable(self, now: datetime, days: int = 1) -> set[str]:
        """The titles that a digest of that time may show."""
        with running(self._folder) as app:
            return {one.title for one in app.store.candidates(now - days * DAY)}

    def stored(self) -> set[str]:
        """Every title."""
        with running(self._folder) as app:
            return {one.title for one in app.store.recent_listings(10_000)}


# --- what sources answer ----------------------------------------------------------------------


def daily(*papers: tuple[str, str, int], on: date) -> str:
    """A Daily Papers list: (id, title, votes) of each paper."""
    return json.dumps(
        [
            {
                "paper": {
                    "id": name,
                    "title": title,
                    "summary": f"All about {title}.",
                    "publishedAt": f"{on - DAY}T00:00:00Z",
                    "submittedOnDailyAt": f"{on}T00:00:00Z",
                    "upvotes": votes,
                }
            }
            for name, title, votes in papers
        ]
    )


def rss(on: date, *papers: tuple[str, str, str]) -> str:
    """The feed of arXiv for a day: (id, title, how it is announced) of each paper."""
    stamp = f"{on:%a, %d %b %Y} 00:00:00 -0500"
    items = "".join(
        f"<item><title>{title}</title><link>https://arxiv.org/abs/{name}</link>"
        f"<guid>oai:arXiv.org:{name}v1</guid><pubDate>{stamp}</pubDate>"
        f"<arxiv:announce_type>{kind}</arxiv:announce_type>"
        f"<description>arXiv:{name}v1 Announce Type: {kind}\nAbstract: On {title}.</description>"
        "</item>"
        for name, title, kind in papers
    )
    return (
        '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"><channel>'
        f"<title>cs.CL</title><pubDate>{stamp}</pubDate>{items}</channel></rss>"
    )


def oai(*papers: tuple[str, str], token: str = "", on: date = date(2026, 11, 16)) -> str:
    """OAI-PMH records: (id, title) of each paper, all of one version of that day."""
    records = "".join(
        f"<record><header><datestamp>{on}</datestamp></header><metadata><arXivRaw><id>{name}</id>"
        f'<version version="v1"><date>{on:%a, %d %b %Y} 10:00:00 GMT</date></version>'
        f"<title>{title}</title><authors>Ada Lovelace</authors><categories>cs.CL</categories>"
        f"<abstract>On {title}.</abstract></arXivRaw></metadata></record>"
        for name, title in papers
    )
    rest = f'<resumptionToken cursor="0">{token}</resumptionToken>' if token else ""
    return f"<OAI-PMH><ListRecords>{records}{rest}</ListRecords></OAI-PMH>"


EMPTY = '<OAI-PMH><error code="noRecordsMatch">nothing</error></OAI-PMH>'
EXPIRED = '<OAI-PMH><error code="badResumptionToken">gone</error></OAI-PMH>'
