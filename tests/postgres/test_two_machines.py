"""What machines on one database settle between them, by the real command in two folders."""

from __future__ import annotations

import asyncio
import shutil
import time
from itertools import pairwise
from pathlib import Path

import psycopg
from aiohttp import web

from tests.e2e.pages import twenty_subscribers, write_pages
from tests.e2e.service import Service, beside, mail_server_thread
from tests.fetcher.server import serving
from tests.mailer.test_sending import scripted

FEED = "<rss version='2.0'><channel><title>x</title></channel></rss>"


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


def test_q14_a_relay_that_refuses_one_machine_is_left_alone_by_the_other(
    tmp_path: Path, address: str
) -> None:
    """It is told why nothing goes out, and the mail server is asked nothing."""
    refusing = scripted("connect", b"421 4.7.0 too many", times=999)
    with mail_server_thread(refusing) as server:
        first, second = machines(tmp_path, server.port, address, twenty_subscribers("ours"))
        write_pages("ours", first.folder)
        first.run("ingest")
        first.run("send", code=1)
        assert "takes no mail" in first.stderr
        asked = server.connections
        second.run("send", code=1)
        assert "127.0.0.1 takes no mail and rests: 421 4.7.0 too many" in second.stderr
        assert server.connections == asked
        with psycopg.connect(address) as connection:
            connection.execute("UPDATE rests SET until = clock_timestamp()")
        server.script = lambda step, before: None
        second.now = "2026-11-20T14:30:00+00:00"
        assert "sent" in second.run("send")
        assert len(server.taken) >= 10
        assert server.connections > asked
