"""The service as a process: its timetable, with the web pages or without, until told to stop."""

from __future__ import annotations

import asyncio
import json
import logging
import platform
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from digest import __version__, collecting, scheduler
from digest.app import App, database_of
from digest.clock import Clock
from digest.config import Config
from digest.doctor import Finding, Level
from digest.doctor.machine import python_finding
from digest.errors import ConfigError
from digest.reloading import topic
from digest.ticks import Ticks, Timetable
from digest.web import Site, check_tokens, listen, serve_site

logger = logging.getLogger("digest")


async def serve(app: App, clock: Clock) -> None:
    """Run with web pages until SIGTERM or SIGINT; messages in flight are finished and recorded.

    SIGHUP has the settings read again. Raises: DigestError when the port of the web pages or of the
    listener cannot be had, ConfigError when a token of theirs cannot be used.
    """
    check_tokens(app.config)
    table = _timetable(app, clock, stop_signal())
    ticks = table.ticks
    async with collecting.open_listener(lambda: ticks.app, clock):
        sock = listen(app.config.web)
        async with _running(table):
            await serve_site(_site(table), sock, ticks.stop)


async def work(app: App, clock: Clock) -> None:
    """The same without web pages, as one worker of the many that share a PostgreSQL.

    Raises: StoreError.
    """
    table = _timetable(app, clock, stop_signal(), guest=socket.gethostname())
    async with _running(table):
        await table.ticks.stop.wait()


def check_shared(config: Config) -> None:
    """Nothing, if several processes can work for this service. Raises: ConfigError."""
    if isinstance(database_of(config), Path):
        raise ConfigError(
            [
                f"{config.place}: [service] data: {config.service.data!r} is a file, which"
                " one process serves: `digest serve`. For workers name a PostgreSQL, as in"
                ' data = "postgresql://digest@db.example.org/digest" (docs/postgresql.md)'
            ]
        )


def _timetable(app: App, clock: Clock, stop: asyncio.Event, guest: str = "") -> Timetable:
    """Every step in this process, or those that it takes from the queue of all workers."""
    address = database_of(app.config)
    if isinstance(address, Path):
        return scheduler.Timetable(Ticks(app, clock, stop))
    from digest import cluster  # noqa: PLC0415 - an extra

    return cluster.Timetable(app, clock, stop, address, guest)


@asynccontextmanager
async def _running(table: Timetable) -> AsyncIterator[None]:
    """The steps are called inside; at the end the messages in flight are waited for."""
    ticks, guest = table.ticks, table.ticks.guest
    for told in [topic(guest)] if guest else [topic(), "relays"]:
        ticks.app.store.note_state(told, [], ticks.clock())  # what the process before has said
    await table.start()
    log_start(python_finding(ticks.clock()))

    def reload() -> None:
        """Read the settings again, changed or not."""
        ticks.asked = True
        table.hurry("reload")

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
    yield
    logger.info("service.stopping")
    await table.stop()
    logger.info("service.stopped")


def _site(table: Timetable) -> Site:
    """The site; what it asks of the steps comes from threads of its own."""
    loop, ticks = asyncio.get_running_loop(), table.ticks

    def wake() -> None:
        """Let letters go out: a visitor looks at the inbox."""
        loop.call_soon_threadsafe(table.hurry, "write")

    def read_now(name: str) -> None:
        """Let a source be read."""
        loop.call_soon_threadsafe(table.read, name)

    site = Site(ticks.app, ticks.clock, wake, read_now=read_now, pulse=ticks.pulse)
    ticks.followers.append(site)
    return site


def log_start(python: Finding) -> None:
    """Tell what runs here, and warn where this Python lacks the fixes that mail needs (D5)."""
    told = {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    logger.info("service.started %s", json.dumps(told))
    if python.level is not Level.OK:
        logger.warning("python.old %s", json.dumps({"found": python.found, "do": python.do}))


def stop_signal() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets, instead of ending the process where it stands."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
