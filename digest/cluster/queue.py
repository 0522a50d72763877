"""The queue that the workers of one service share, as procrastinate keeps it in their database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.app import WorkerOptions
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg import AsyncConnection

from digest.cluster.schema import SCHEMA
from digest.errors import StoreError
from digest.store.postgres.connection import impatient, place_of, wary

logger = logging.getLogger("digest")

BEAT_S = 5.0
"""Seconds between two signs of life of a worker to the queue."""

STALLED_S = 30.0
"""After so long without one its jobs are others' to run."""

POLL_S = 5.0
"""Seconds between two looks for jobs; a worker is told of new ones, and may miss it."""


def make_connector(address: str) -> PsycopgConnector:
    """The way to the queue in a database, not opened yet."""
    return PsycopgConnector(
        conninfo=impatient(address), min_size=1, max_size=4, configure=_configure, num_workers=1
    )


def make_queue(connector: PsycopgConnector) -> App:
    """What knows tasks, and runs their jobs."""
    queue = App(connector=connector, worker_defaults=DEFAULTS)
    queue.job_manager = Manager(connector)
    return queue


class Manager(JobManager):
    """Keeps jobs; one whose end cannot be recorded is rescued, by this process or another."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Take a job that has come to its end out of the queue."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:  # the database is gone, or the job another's meanwhile
            told = {"job": job.task_name, "lock": job.lock, "reason": why(error)}
            logger.warning("job.not_ended %s", json.dumps(told))


DEFAULTS: WorkerOptions = {
    "install_signal_handlers": False,
    "delete_jobs": "always",  # what came of a step is told in the log and by its beat
    "update_heartbeat_interval": BEAT_S,
    "stalled_worker_timeout": STALLED_S,
    "fetch_job_polling_interval": POLL_S,
}


@contextmanager
def worded(address: str) -> Iterator[None]:
    """Turns errors of the queue into a StoreError that names its database."""
    try:
        yield
    except (ConnectorException, psycopg.Error) as error:  # the second from its pool
        raise StoreError(f"{place_of(address)}: {why(error)}") from error


def why(error: Exception) -> str:
    """What went wrong between us and the queue, in a line."""
    return (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]


async def _configure(connection: AsyncConnection) -> None:
    await connection.execute(f"SET search_path TO {SCHEMA}; {wary()}".encode())
    await connection.commit()


def cron(every_s: int) -> str:
    """A line of cron, seconds last, for so many seconds or the next lower interval that it knows.

    An interval that divides no minute, hour or day evenly would begin anew with each of them.
    """
    for unit_s, most, line in (
        (1, 60, "* * * * * */{}"),
        (60, 60, "*/{} * * * *"),
        (3600, 24, "0 */{} * * *"),
    ):
        if every_s < unit_s * most:
            fits = [n for n in range(1, most) if most % n == 0 and n * unit_s <= every_s]
            return line.format(fits[-1])
    return "0 0 * * *"
