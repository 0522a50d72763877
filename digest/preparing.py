"""Digests of all who are due, ready to be opened: planned here, or in a process for each core.

A digest is planned from what the store holds and changes nothing, so it does not matter where. One
process opens them, in the order in which they were asked for and a few batches behind the planning:
so much and no more is in memory at once. Who is opened by another process meanwhile, or leaves, is
left out where the rows are written.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from digest.app import App, parts
from digest.config import Config
from digest.crew import Crew, Job
from digest.planner import Planner
from digest.share import EVERYBODY, Share
from digest.store.freeze import Frozen, frozen

BATCH = 2000
"""Digests planned at once: enough to share the matcher's work, few enough for memory."""

MANY = 6000
"""Who are due from which on other processes plan: each takes some seconds to learn the archive."""


@dataclass(frozen=True, slots=True)
class Round:
    """Whom of a share to plan for: who is due then, with `at_once` whatever their hour and days."""

    now: datetime
    share: Share = EVERYBODY
    at_once: bool = False


def drafts(
    app: App,
    asked: Round,
    stopping: Callable[[], object] = lambda: False,
    *,
    many: int = MANY,
    batch: int = BATCH,
) -> Generator[list[Frozen]]:
    """The digests of all who are due, batch after batch, until `stopping` says to end.

    Raises: StoreError, DigestError.
    """
    due = app.store.due_ids(asked.now, at_once=asked.at_once, share=asked.share)
    batches = (due[at : at + batch] for at in range(0, len(due), batch))
    planning = Planning(app, asked)
    if app.processes == 1 or len(due) < many:
        for people in batches:
            if stopping():
                return
            yield planning.of(people)
        return
    with Crew(app.processes, _begin, (app.config, asked), waits=True) as crew:
        waiting = deque[Job[list[Frozen]]]()
        for people in batches:
            waiting.append(crew.hand(people, partial(planning.of, people)))
            if len(waiting) > app.processes:
                yield waiting.popleft().result()
            if stopping():
                return
        while waiting and not stopping():
            yield waiting.popleft().result()


class Planning:
    """What plans batches in one process."""

    def __init__(self, app: App, asked: Round) -> None:
        self._store = app.store
        self._asked = asked
        self._planner = Planner(app, asked.now)

    def of(self, people: Sequence[int]) -> list[Frozen]:
        """The digests of these people, as far as they are still due."""
        due = self._store.due_among(people, self._asked.now, at_once=self._asked.at_once)
        return [one for drafts in self._planner.drafts(due) for one in frozen(drafts)]


def _begin(told: tuple[Config, Round]) -> Callable[[Sequence[int]], list[Frozen]]:
    """What plans in another process, by its own way to the store."""
    config, asked = told
    planning = Planning(parts(config), asked)
    # Looking for cycles among the many parts of a batch takes a fifth of the time, and finds none.
    gc.disable()

    def plan(people: Sequence[int]) -> list[Frozen]:
        """The digests of these people; what is left of those before is let go first."""
        gc.collect()
        gc.freeze()
        return planning.of(people)

    return plan
