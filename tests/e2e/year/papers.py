"""arXiv and Daily Papers through a year: announced by their calendar, asked over real HTTP.

The calendar is written down here once more, from what arXiv says of itself, so that ours is held to
it and not to itself. Source: info.arxiv.org/help/availability.html, for 2026.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.ingest.site import EMPTY

DAY = timedelta(days=1)
EASTERN = ZoneInfo("America/New_York")

NO_LIST = {
    date(2026, 1, 1): "New Year’s Day",
    date(2026, 1, 19): "Martin Luther King Jr. Day",
    date(2026, 9, 7): "Labor Day",
    date(2026, 11, 26): "Thanksgiving",
    date(2026, 12, 29): "29 December",
    date(2026, 12, 31): "New Year’s Eve",
}
"""Evenings from Sunday to Thursday without an announcement."""

TOPICS = (
    "flash attention", "protein folding", "speculative decoding", "river sediment",
    "graph coloring", "quantum annealing",
)  # fmt: skip
FILLERS = 6


@dataclass(frozen=True)
class Paper:
    """One paper; `topic` is empty for one that fits nobody."""

    number: str
    topic: str
    title: str
    abstract: str
    announced_on: date


@dataclass
class World:
    """What is announced when; `down` while nothing answers. `first_read` is when a list was had."""

    clock: Callable[[], datetime]
    first: date
    last: date
    down: bool = False
    lists: dict[date, list[Paper]] = field(default_factory=dict)
    dailies: dict[date, list[Paper]] = field(default_factory=dict)
    first_read: dict[date, datetime] = field(default_factory=dict)
    asked: int = 0

    def __post_init__(self) -> None:
        """Write the papers of the whole year, the same in every run."""
        self._choose = random.Random(8)  # noqa: S311 - a test, the same at every run
        self._words = [self._word() for _ in range(4_000)]
        evening = self.first - 3 * DAY
        while evening <= self.last:
            if rest_of(evening) == "":
                self.lists[evening] = self._list(evening)
            on = evening + DAY
            if on.weekday() < 5:
                newest = self.lists.get(evening, [])
                own = self._paper(on, f"{on:%y%m}.9{on.day:02d}00", self._choose.choice(TOPICS))
                self.dailies[on] = [*self._choose.sample(newest, min(4, len(newest))), own]
            evening += DAY

    def _word(self) -> str:
        return "".join(self._choose.choice("bdfgklmnprstv") + self._choose.choice("aeiou")
                       for _ in range(self._choose.randint(2, 4)))  # fmt: skip

    def _list(self, evening: date) -> list[Paper]:
        topics = [topic for topic in TOPICS for _ in range(self._choose.choice((0, 1, 1, 2, 3)))]
        topics += [""] * FILLERS
        on = evening + DAY
        return [
            self._paper(on, f"{on:%y%m}.{on.day:02d}{number:03d}", topic)
            for number, topic in enumerate(topics)
        ]

    def _paper(self, on: date, number: str, topic: str) -> Paper:
        def say(count: int) -> str:
            # A few words come again and again, most hardly ever, as in any language.
            return " ".join(
                self._words[int(self._choose.paretovariate(0.7)) % 4_000] for _ in range(count)
            )

        title = f"{topic.capitalize()} of {say(6)}" if topic else say(8).capitalize()
        again = f"It is about {topic}. " if topic else ""
        return Paper(number, topic, title, f"{again}{say(30)}. {say(40)}.", on)

    # --- what is answered -----------------------------------------------------------------------

    async def answer(self, request: web.Request) -> web.Response:
        """What each site says at this moment."""
        self.asked += 1
        if self.down:
            return web.Response(status=503)
        host = request.path.strip("/").partition("/")[0]
        now = self.clock()
        today = now.astimezone(EASTERN).date()
        if host == "rss.arxiv.org":
            text, tag = self._feed(today), f'"{today}"'
            if request.headers.get("If-None-Match") == tag:
                return web.Response(status=304)
            if today - DAY in self.lists:
                self.first_read.setdefault(today - DAY, now)
            return web.Response(text=text, headers={"ETag": tag})
        if host == "oaipmh.arxiv.org":
            evening = date.fromisoformat(request.query["from"])
            shown = evening in self.lists and evening < today
            if shown:
                self.first_read.setdefault(evening, now)
            return web.Response(text=records(self.lists[evening], evening) if shown else EMPTY)
        asked = request.query.get("date")
        out = [day for day in self.dailies if datetime.combine(day, time(10), UTC) <= now]
        newest = max(out, default=self.first)
        on = date.fromisoformat(asked) if asked else newest
        return web.Response(text=self._daily(on if on in out else None, now))

    def _feed(self, today: date) -> str:
        stamp = f"{today:%a, %d %b %Y} 00:00:00 -0500"
        items = "".join(
            f"<item><title>{one.title}</title><link>https://arxiv.org/abs/{one.number}</link>"
            f"<guid>oai:arXiv.org:{one.number}v1</guid><pubDate>{stamp}</pubDate>"
            "<arxiv:announce_type>new</arxiv:announce_type><category>cs.CL</category>"
            f"<description>arXiv:{one.number}v1 Announce Type: new\nAbstract: {one.abstract}"
            "</description></item>"
            for one in self.lists.get(today - DAY, [])
        )
        return (
            '<rss version="2.0" xmlns:arxiv="http://arxiv.org/schemas/atom"><channel>'
            f"<title>cs.CL</title><pubDate>{stamp}</pubDate>{items}</channel></rss>"
        )

    def _daily(self, on: date | None, now: datetime) -> str:
        """The list of a day; votes come in for a week."""
        papers = self.dailies[on] if on else []
        return json.dumps(
            [
                {
                    "paper": {
                        "id": one.number,
                        "title": one.title,
                        "summary": one.abstract,
                        "publishedAt": f"{one.announced_on - DAY}T00:00:00Z",
                        "submittedOnDailyAt": f"{on}T00:00:00Z",
                        "upvotes": 3 * number
                        + min(7, (now.date() - one.announced_on).days) * number,
                    }
                }
                for number, one in enumerate(papers)
            ]
        )

    def announced(self, after: datetime, until: datetime) -> list[Paper]:
        """The papers that came out in that time, each once."""
        every = [*self.lists.values(), *self.dailies.values()]
        papers = {paper.number: paper for papers in every for paper in papers}
        days = (after.date(), until.date())
        return [one for one in papers.values() if days[0] < one.announced_on <= days[1]]

    def had(self, after: datetime, until: datetime) -> list[Paper]:
        """The papers of the lists of arXiv that were first read in that time."""
        return [
            paper
            for evening, at in self.first_read.items()
            if after < at <= until
            for paper in self.lists[evening]
        ]


def rest_of(evening: date) -> str:
    """Why arXiv announces nothing on an evening, empty where it does."""
    if evening.weekday() in {4, 5}:
        return "on Fridays and Saturdays"
    name = NO_LIST.get(evening, "")
    return f"on {name}" if name else ""


def newest_evening(now: datetime) -> date:
    """The last evening whose 20:00 in New York is past."""
    local = now.astimezone(EASTERN)
    return local.date() if local.time() >= time(20) else local.date() - DAY


def records(papers: Sequence[Paper], evening: date) -> str:
    """The records of OAI-PMH of the papers that were announced on an evening."""
    told = "".join(
        f"<record><header><datestamp>{evening}</datestamp></header><metadata><arXivRaw>"
        f"<id>{one.number}</id><version version='v1'>"
        f"<date>{evening:%a, %d %b %Y} 10:00:00 GMT</date></version><title>{one.title}</title>"
        "<authors>Ada Lovelace</authors><categories>cs.CL</categories>"
        f"<abstract>{one.abstract}</abstract></arXivRaw></metadata></record>"
        for one in papers
    )
    return f"<OAI-PMH><ListRecords>{told}</ListRecords></OAI-PMH>"
