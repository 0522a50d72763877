"""The store's verbs for what the processes of one service know of each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from digest.store.connection import Connections, Part, moment, stamp
from digest.store.operating import WorkerBeat

KEEP_BEATS = timedelta(days=1)
"""How long is known what a process did that is no more."""


class BeatVerbs(Connections):
    """When each worker ran which step; see `Store` for what each verb promises."""

    def note_beat(self, beat: WorkerBeat) -> None:
        """Keep when a worker began and ended a step last."""
        # A row of its own, beside everybody else's work.
        with self.writing(Part.SENDING) as db:
            db.execute(
                "INSERT INTO beats (worker, step, began_at, ended_at, failed)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (worker, step) DO UPDATE"
                " SET began_at = excluded.began_at, ended_at = excluded.ended_at,"
                " failed = excluded.failed",
                (
                    beat.worker,
                    beat.step,
                    stamp(beat.began_at),
                    stamp(beat.ended_at) if beat.ended_at else None,
                    beat.failed,
                ),
            )

    def beats(self) -> Sequence[WorkerBeat]:
        """What is known of each worker's steps, in the order of their names."""
        return [
            WorkerBeat(worker, step, moment(began), moment(ended) if ended else None, failed)
            for worker, step, began, ended, failed in self.rows(
                "SELECT worker, step, began_at, ended_at, failed FROM beats ORDER BY worker, step"
            )
        ]

    def tidy_beats(self, now: datetime) -> int:
        """Forget workers that are no more; returns how many rows."""
        with self.writing(Part.SENDING) as db:
            return db.execute(
                "DELETE FROM beats WHERE coalesce(ended_at, began_at) < ?",
                (stamp(now - KEEP_BEATS),),
            ).rowcount
