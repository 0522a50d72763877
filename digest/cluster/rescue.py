"""What becomes of jobs whose worker is gone: they are taken out of the queue and put in anew.

A job that nobody runs would keep its locks for ever, and with them its step. It gets a new number,
so that a worker that was only paused, and ends it after all, ends nothing of anybody else's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from digest.cluster import queue

logger = logging.getLogger("digest")


class Rescue:
    """Looks for jobs that nobody runs: of any worker that is gone, and of this one's own."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager
        self._mine: dict[int, int] = {}
        self._known: set[int] = set()
        self._doubted: Collection[int] = ()

    def begin(self, job: Job) -> None:
        """A job is run by this process from now on."""
        if job.id is not None and job.worker_id is not None:
            self._mine[job.id] = job.worker_id
            self._known.add(job.worker_id)

    def end(self, job: Job) -> None:
        """It has come to its end."""
        if job.id is not None:
            self._mine.pop(job.id, None)

    async def look(self) -> None:
        """Put in anew what nobody runs. Raises: ConnectorException."""
        stalled = await self._manager.get_stalled_jobs(seconds_since_heartbeat=queue.STALLED_S)
        for job in [*stalled, *await self._lost()]:
            await self._put_in_anew(job)
        await self._manager.prune_stalled_workers(queue.STALLED_S)

    async def _lost(self) -> list[Job]:
        """Jobs that the queue takes this process to run, at this look and at the one before.

        Such as one whose end could not be recorded.
        """
        doing = await self._manager.list_jobs_async(status=Status.DOING.value)
        doubted = [
            job for job in doing if job.worker_id in self._known and job.id not in self._mine
        ]
        lost = [job for job in doubted if job.id in self._doubted]
        self._doubted = {job.id for job in doubted if job.id is not None}
        return lost

    async def _put_in_anew(self, job: Job) -> None:
        if job.id is None or job.id in self._mine:
            return
        try:
            await self._manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        except ConnectorException:  # another worker was first, or its own has ended it
            return
        logger.warning("job.rescued %s", json.dumps({"job": job.task_name, "lock": job.lock}))
        with suppress(AlreadyEnqueued):
            await self._manager.defer_job_async(job.evolve(id=None, scheduled_at=None))
