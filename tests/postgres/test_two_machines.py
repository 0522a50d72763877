"""What machines on one database settle between them, by the real command in two folders."""

from __future__ import annotations

import asyncio
import shutil
import time
from itertools import count, pairwise
from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e.service import Service, beside
from tests.fetcher.server import serving
from tests.postgres.database import made

NAMES = (f"between_{number}" for number in count())
FEED = "<rss version='2.0'><channel><title>x</title></channel></rss>"


@pytest.fixture
def address(server: str) -> str:
    """The address of a database with nothing in it."""
    return made(server, next(NAMES))


def machines(tmp_path: Path, port: int, address: str, more: str = "") -> list[Service]:
    """Two folders with the same key and settings on one database; the first has made it."""
    made_of = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        service = Service(folder, port, more)
        config = folder / "config.toml"
        text = config.read_text("utf-8").replace("[service]", f'[service]\ndata = "{address}"')
        config.write_text(text, "utf-8")
        made_of.append(service)
    made_of[0].run("status")
    shutil.copy(tmp_path / "one" / "secret.key", tmp_path / "two")
    return made_of


def finished(*services: Service, words: tuple[str, ...]) -> list[str]:
    """What each said at the end, all begun at the same moment."""
    begun = [service.start(*words) for service in services]
    return ["".join(process.communicate(timeout=120)) for process in begun]


def test_s9_a_host_is_asked_by_one_machine_at_a_time(tmp_path: Path, address: str) -> None:
    """Two that read their sources at the same moment ask a server by turns, a second apart."""
    spans: list[tuple[float, float]] = []

    async def answer(request: web.Request) -> web.Response:
        began = time.monotonic()
        await asyncio.sleep(0.2)
        spans.append((began, time.monotonic()))
        return web.Response(text=FEED, content_type="text/xml")

    with beside(serving(answer)) as stub:
        sources = "".join(
            f'\n[[sources]]\nname = "{name}"\nkind = "feed"\nurl = "{stub.url("/" + name)}"\n'
            for name in ("a", "b")
        )
        both = machines(tmp_path, 25, address, sources)
        for service in both:
            config = service.folder / "config.toml"
            allowed = f'[service]\nallowed_hosts = ["{stub.host}"]'
            config.write_text(config.read_text("utf-8").replace("[service]", allowed), "utf-8")
        finished(*both, words=("ingest", "--source", "a", "--source", "b"))
    assert len(spans) == 4
    for (began, ended), (next_began, _) in pairwise(sorted(spans)):
        assert ended <= next_began
        assert next_began - began >= 1
