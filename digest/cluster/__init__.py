"""Several machines for one service: its steps wait in a queue that their workers share.

Owns the queue (procrastinate, in a schema of its own), what of a service happens once for all and
what in each process, and what becomes of the jobs of a worker that died. The queue holds no truth:
what is due stands in the store, so a job that is lost or runs twice does no harm.
"""

from digest.cluster.timetable import Timetable

__all__ = ["Timetable"]
