"""Mails made here or in processes beside this one: the same bytes, and nobody held up."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from pathlib import Path

from digest import jobs
from digest.app import App
from digest.model import DeliveryState, Subscriber
from digest.press import Made, mails, render
from digest.store import Lease
from digest.tex import readable
from tests.running import announce, running
from tests.samples import NOW, listing, subscriber
from tests.waiting import kill_beside, nobody_beside

PAPERS = [listing(f"Flash attention {n}", abstract="Flash attention again.") for n in range(3)]


def prepare(app: App) -> None:
    """Queue a digest for everyone."""
    announce(app, *PAPERS)
    jobs.prepare(app, NOW)


def readers(count: int) -> list[Subscriber]:
    """So many subscribers to the same papers."""
    return [subscriber(f"reader{n}@example.org") for n in range(count)]


async def made(app: App, processes: int, then: Callable[[], None] = lambda: None) -> list[Made]:
    """All that waits, made in batches of four, the first of them here."""

    async def more() -> Sequence[Lease]:
        return app.store.lease(NOW, 4, 60, "w")

    found = []
    async for one in mails(app, more, processes, many=4):
        found.append(one)
        then()
    return found


def test_b11_processes_make_the_same_bytes(tmp_path: Path) -> None:
    """Each mail once, in order, equal to what this process makes of the row."""
    with running(tmp_path, *readers(14)) as app:
        prepare(app)
        found = asyncio.run(made(app, 2))
        assert [one.lease.delivery_id for one in found] == list(range(1, 15))
        for one in found:
            row = app.store.delivery_by_id(one.lease.delivery_id)
            assert one.raw == render(app, row).raw
            assert row.state is DeliveryState.QUEUED


def test_tex_is_made_readable_once_a_listing(tmp_path: Path) -> None:
    """A title, its abstract, authors and lab are converted for the first mail and for no other."""
    paper = listing(
        r"Flash attention in $O(n^2)$ \emph{steps}",
        abstract=r"Flash attention of $\alpha$ heads.",
        authors=(r"Paul L\'evy", "Ada Lovelace"),
        organization=r"\'Ecole of $\ell_p$",
    )
    with running(tmp_path, *readers(5)) as app:
        announce(app, paper)
        jobs.prepare(app, NOW)
        readable.cache_clear()
        texts = [render(app, app.store.delivery_by_id(1)).text]
        assert readable.cache_info().misses
        readable.cache_clear()  # what counts is what the mails of one frame have in common
        texts += [render(app, app.store.delivery_by_id(number)).text for number in range(2, 6)]
        assert not readable.cache_info().misses
    for text in texts:
        assert all(shown in text for shown in ("O(n²) steps", "of α heads", "Lévy", "École of ℓₚ"))


def test_a_mail_that_cannot_be_made_is_given_back_with_its_fault(tmp_path: Path) -> None:
    """A row without a readable body, between two that have one."""
    with running(tmp_path, *readers(3)) as app:
        prepare(app)
        with app.store.writing() as db:  # type: ignore[attr-defined]  # SQLite, to break a row
            db.execute("UPDATE bodies SET body = '{' WHERE delivery_id = 2")
        one, two, three = asyncio.run(made(app, 1))
        assert one.raw
        assert three.raw
        assert not two.raw
        assert two.fault.startswith("the mail could not be made: ")


def test_a_process_that_was_killed_loses_no_mail(tmp_path: Path) -> None:
    """What the dead processes held is made here instead."""
    killed = list[int | None]()

    def kill() -> None:
        if not killed:
            killed.extend(kill_beside())

    with running(tmp_path, *readers(40)) as app:
        prepare(app)
        found = asyncio.run(made(app, 2, then=kill))
        assert killed
        assert len({one.lease.delivery_id for one in found}) == 40
        assert all(one.raw for one in found)


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    """They end with the run, also when nobody wants the rest."""

    async def some(app: App) -> None:
        async def more() -> Sequence[Lease]:
            return app.store.lease(NOW, 4, 60, "w")

        source = mails(app, more, 2, many=4)
        for _ in range(9):
            await anext(source)
        assert multiprocessing.active_children()
        await source.aclose()

    with running(tmp_path, *readers(30)) as app:
        prepare(app)
        asyncio.run(some(app))
        nobody_beside()
