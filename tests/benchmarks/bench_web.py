"""How fast the pages are served with 100,000 stored listings and 10,000 subscribers.

Run: `python -m tests.benchmarks.bench_web [--listings N] [--subscribers N] [--rounds N]`. The site
runs in a process of its own, one connection asks. Prints for each page the median and the longest
of N rounds in ms over HTTP, its size, and the aims: 30 ms at the median, 50 kB.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from digest.app import App
from digest.formats import FORMATS
from digest.model import Link, Listing, Origin
from digest.store.collected import Intake
from digest.store.sqlite import SqliteStore
from digest.tokens import new_api_key
from tests.benchmarks.vocabulary import sentence
from tests.samples import NOW, digest_of, profile, subscriber
from tests.web.running import running_site

A_DAY = 300
"""Listings of a day: arXiv's larger sections and Daily Papers together."""

_NAMES = ("Ada Lovelace", "Emmy Noether", "Gregor Mendel", "Maria Mitchell", "Sofia Kovalevskaya")
_SUBJECTS = ("cs.CL", "cs.LG", "cs.CV", "stat.ML", "math.PR", "physics.comp-ph", "q-bio.NC")

PAGES = (
    "/", "/{day}", "/{day}?from=260", "/{day}?sort=votes", "/{day}?sort=rising",
    "/{day}?source=arXiv&category=cs.CL", "/week/{week}", "/week/{week}?sort=votes",
    "/month/{month}", "/month/{month}?sort=votes", "/month/{month}?sort=rising",
    "/month/{month}?category=cs.CL&source=arXiv&from=200",
    "/search", "/search?q=w9001", "/search?q=w700+w41", "/search?q=%22w12+w7%22", "/search?q=w13*",
    "/search?q=title:w300+-w5", "/search?q=category:cs.CL+w99", "/search?q=w1",
    "/search?q=w1&sort=newest", "/search?q=author:lovelace", "/style.css", "/form.js", "/subscribe",
    "/subscribe/keyword?term=w700+w41", "/subscribe/keyword?term=w1",
)  # fmt: skip


CALLS = (
    ("GET", "/api/openapi.json", None), ("GET", "/api/days/{day}?limit=100", None),
    ("GET", "/api/days/{day}?sort=rising&category=cs.CL", None),
    ("GET", "/api/search?q=w700+w41", None), ("GET", "/api/search?q=w1", None),
    ("GET", "/api/listing?key={key}", None), ("GET", "/api/me", None),
    ("GET", "/api/me/profile", None),
    ("PUT", "/api/me/profile", {"keywords": {"w9001": 2}}),
    ("GET", "/api/me/digests", None), ("GET", "/api/me/digests/{today}", None),
    *(("GET", f"/api/me/digests/{{today}}/{form}", None) for form in FORMATS),
    ("POST", "/api/me/pause", {"until": "2026-12-24"}), ("POST", "/api/me/resume", None),
    ("POST", "/api/subscribers", {"email": "new@example.org", "keywords": {"w9001": 2}}),
    ("GET", "/healthz", None), ("GET", "/metrics", None), ("GET", "/admin/sources", None),
    ("GET", "/admin/subscribers", None), ("GET", "/admin/deliveries", None),
    ("GET", "/admin/system", None),
)  # fmt: skip
"""Calls of programs and the operator's pages: method, path, JSON body."""

LIMITS = "api_per_key = 1000000\napi_per_network = 1000000\nsignups_per_network = 10000"


def listings(count: int) -> Iterator[list[Listing]]:
    """So many papers, a day at a time, the newest day last."""
    rng = random.Random(7)  # noqa: S311  # texts for a benchmark, no secrets
    days = -(-count // A_DAY)
    for day in range(days):
        listed_on = NOW.date() - timedelta(days=days - 1 - day)
        yield [
            Listing(
                key=f"arxiv:{2000 + day % 100}.{n:05}x{day}",
                source=rng.choice(("arXiv", "arXiv", "Daily Papers", "bioRxiv")),
                title=f"{sentence(rng, 9)} {n}",
                abstract=". ".join(sentence(rng, 20) for _ in range(9)) + ".",
                authors=tuple(rng.sample(_NAMES, 3)),
                url=f"https://arxiv.org/abs/{day}.{n:05}",
                subjects=tuple(rng.sample(_SUBJECTS, rng.randint(1, 3))),
                published_at=NOW - timedelta(days=days - day),
                listed_on=listed_on,
                votes=rng.choice((None, None, n % 90)),
                comments=n % 7,
                links=(Link("pdf", f"https://arxiv.org/pdf/{day}.{n:05}"),),
            )
            for n in range(min(A_DAY, count - day * A_DAY))
        ]


def fill(path: Path, count: int, people: int) -> None:
    """Store so many listings, the votes of the last month, and so many subscribers."""
    store = SqliteStore(path)
    for batch in listings(count):
        day = batch[0].listed_on
        assert day is not None
        store.add_listings(batch, [], {}, (), NOW - (NOW.date() - day))
    for back in (3, 1):
        _vote(store, NOW - timedelta(days=back))
    everyone = [
        subscriber(
            f"reader{n}@example.org", profile=profile(keywords={f"w{n}": 1.0}), origin=Origin.STORE
        )
        for n in range(people)
    ]
    store.sync_file(everyone, NOW)
    store.close_store()


def _vote(store: SqliteStore, now: datetime) -> None:
    """Five votes more for each listing of a month that has any."""
    stored = [one for one in store.recent_listings(30 * A_DAY) if one.votes is not None]
    changed = [replace(one, votes=(one.votes or 0) + 5) for one in stored]
    votes = {one.id: one.votes or 0 for one in changed}
    store.take_in(lambda look: Intake(changed=changed, votes=votes), now)


@contextmanager
def site_process(folder: Path) -> Iterator[tuple[int, str]]:
    """The port of a site that runs in a process of its own, and a key of its API."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_web", "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            port, key = process.stdout.readline().split()
            yield int(port), key
        finally:
            process.terminate()


def serve(folder: Path) -> None:
    """Serve the store of a folder until the process is ended; print the port."""
    with running_site(folder, web=LIMITS) as site:
        print(site.url.rpartition(":")[2], _key(site.app), flush=True)
        time.sleep(86_400)


def _key(app: App) -> str:
    """A key of the first subscriber, who has a digest of today, and so has everybody."""
    people = app.store.subscribers()
    shown = app.store.recent_listings(12)
    app.store.open_deliveries(app.frame, [digest_of(one, *shown) for one in people], NOW)
    key = new_api_key()
    app.store.add_api_key(people[0].id, "benchmark", app.tokens.api_key_names(key)[0], NOW)
    return key


def measure(  # noqa: PLR0917 - port and key, then what is asked
    port: int, key: str, rounds: int, path: str, method: str = "GET", sent: object = None
) -> None:
    """Print one line on a page or a call; the first answer is not counted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps(sent) if sent is not None else None
    headers = {"authorization": f"Bearer {key}"} if path.startswith("/api/me") else {}
    headers |= {"content-type": "application/json"} if body else {}
    times: list[float] = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        got = answer.read()
        times.append((time.perf_counter() - started) * 1e3)
        assert answer.status in {200, 202}, (path, answer.status, got[:200])
    first, *rest = times
    small = len(got) < 50_000 or path.startswith("/api/")  # the size is an aim for pages
    fine = statistics.median(rest) <= 30 and small
    path = path if method == "GET" else f"{method} {path}"
    print(
        f"{path:52}{statistics.median(rest):8.1f}{max(rest):8.1f}{first:8.1f}"
        f"{len(got) / 1e3:8.1f}  {'' if fine else 'MISSED'}"
    )


def main() -> None:
    """Fill a store, serve it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=100_000)
    parser.add_argument("--subscribers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--folder", type=Path, help="keep the store here, and use it again")
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
        return
    with tempfile.TemporaryDirectory() as fresh:
        folder = given.folder or Path(fresh)
        path = folder / "digest.db"
        if not path.exists():
            started = time.perf_counter()
            fill(path, given.listings, given.subscribers)
            took_s, megabytes = time.perf_counter() - started, path.stat().st_size / 1e6
            print(f"filled in {took_s:.0f} s, {megabytes:.0f} MB")
        day = NOW.date() - timedelta(days=3)
        names = {
            "day": day.isoformat(),
            "week": f"{day:%G-W%V}",
            "month": f"{day:%Y-%m}",
            "today": NOW.date().isoformat(),
            "key": next(listings(1))[0].key,
        }
        print(f"{'page':52}{'median':>8}{'max':>8}{'first':>8}{'kB':>8}")
        with site_process(folder) as (port, key):
            for page in PAGES:
                measure(port, key, given.rounds, page.format(**names))
            for method, call, sent in CALLS:
                measure(port, key, given.rounds, call.format(**names), method, sent)


if __name__ == "__main__":
    main()
