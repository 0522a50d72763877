"""The pulse of a process among several: what it does is told to the others, and theirs is heard."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

from digest.errors import StoreError
from digest.store import Store
from digest.store.operating import ALIVE, WorkerBeat, living
from digest.web import Pulse
from digest.web.pulse import LONGEST_RUN, Beat

logger = logging.getLogger("digest")


class SharedPulse(Pulse):
    """The beats of the steps that are `shared`, whoever ran them, and of this process's own."""

    def __init__(self, store: Store, worker: str, now: datetime) -> None:
        super().__init__({}, now)
        self.shared: Collection[str] = ()
        self._store = store
        self._worker = worker
        self._own: dict[str, WorkerBeat] = {}
        self._thread = ThreadPoolExecutor(1, "pulse")  # in their order

    def begin(self, name: str, now: datetime) -> None:
        """A step begins here."""
        super().begin(name, now)
        if name in self.shared:
            known = self._own.get(name)
            begun = replace(known, began_at=now) if known else WorkerBeat(self._worker, name, now)
            self._tell(begun)

    def end(self, name: str, now: datetime, *, failed: bool) -> None:
        """A step has ended here."""
        super().end(name, now, failed=failed)
        if known := self._own.get(name):
            self._tell(replace(known, ended_at=now, failed=known.failed + 1 if failed else 0))

    def live(self, now: datetime) -> None:
        """Give a sign of life."""
        self._tell(WorkerBeat(self._worker, ALIVE, now, now))

    def close(self, now: datetime) -> None:
        """Tell that this worker is gone, once all that it had to tell is told."""
        self._tell(WorkerBeat(self._worker, ALIVE, now))
        self._thread.shutdown()

    def _tell(self, beat: WorkerBeat) -> None:
        self._own[beat.step] = beat
        self._thread.submit(self._note, beat)

    def _note(self, beat: WorkerBeat) -> None:
        try:
            self._store.note_beat(beat)
        except StoreError as error:  # the next one may get through
            logger.warning("beat.lost %s", json.dumps({"step": beat.step, "reason": str(error)}))

    def hear(self, told: Sequence[WorkerBeat], now: datetime) -> None:
        """Take up what all workers tell of the steps that are shared."""
        alive = living(told, now)
        self.workers = sorted(alive)
        for step in self.beats.keys() & set(self.shared):
            if rows := [beat for beat in told if beat.step == step]:
                self.beats[step] = _joined(self.beats[step], rows, alive, now)


def _joined(beat: Beat, rows: Sequence[WorkerBeat], alive: Collection[str], now: datetime) -> Beat:
    """A step as it stands in the whole service: as its last end says, but for one that hangs."""
    under_way = [
        row.began_at
        for row in rows
        if row.worker in alive and (row.ended_at is None or row.ended_at < row.began_at)
    ]
    ended = [(row.ended_at, row.failed) for row in rows if row.ended_at]
    ended_at, failed = max(ended, default=(None, 0))
    began_at = min(under_way, default=max(row.began_at for row in rows))
    if under_way and now - began_at > LONGEST_RUN:
        ended_at = None
    if not under_way and ended_at:
        began_at = min(began_at, ended_at)
    return replace(beat, began_at=began_at, ended_at=ended_at, failed_in_a_row=failed)
