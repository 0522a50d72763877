"""Workers on several hosts that are killed, paused over their lease, and cut off from the database.

`python -m tests.soak.cluster [RECIPIENTS] [EVENTS OF A KIND]` (10,000 and 50) lets 8 workers on 2
hosts do the mail, prints the account, and fails when the promise does not hold. It takes root, for
the hosts are network namespaces, and Debian's PostgreSQL.
"""

from __future__ import annotations

import heapq
import signal
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import psycopg

from digest.errors import StoreError
from digest.model import DeliveryState, Origin, SubscriberState
from digest.store import Store
from digest.store.postgres.store import PostgresStore
from tests.postgres.database import made
from tests.postgres.servers import HASTE, of_debian, programs_of_debian
from tests.running import announce, running
from tests.samples import listing, profile, subscriber
from tests.soak.account import Account
from tests.soak.crowd import CONNECTIONS, LEASE_S, Blow, Crowd, Worker, cut_off, killed, paused
from tests.soak.hosts import NET, hosts, inside, why_not
from tests.soak.server import Moody, moody_server

HOSTS, WORKERS = 2, 8
KINDS = ("cut off", "killed", "paused")

ROUND_S = 15.0
"""About how long a round takes: the mails are made to last for all of them."""

SLOWEST_S, QUICKEST_S = 1.5, 0.02
"""Within these the mail server's reply to a message is timed."""

START_S, SENDING_S = 45.0, 5.0
"""How long is waited for all workers to have begun a mail, and later for one that has."""

PATIENCE_S = 420.0
"""How long what is left may take when nothing happens to the workers any more."""

CUTS_S = (1.0, LEASE_S + 2.0, 3.0, 22.0)
"""How long a host is cut off: also over a lease, and over what waits for it (15 s)."""

PAUSE_S, LONG_PAUSE_S, LONG_EACH = LEASE_S + 2.0, 45.0, 10
"""How long a worker is paused: over its lease, and each tenth time until the queue gives it up."""

IN_FLIGHT = """
SELECT recipient, attempts FROM deliveries
WHERE state = 'sending' AND split_part(owner, '-', 1) = ANY(%s)
"""

UNDER_WAY = """
SELECT (SELECT count(*) FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
    WHERE d.state IN ('queued', 'sending', 'deferred')
    OR d.state = 'unknown' AND s.state = 'active')
    + (SELECT count(*) FROM subscribers s WHERE s.state = 'active'
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.subscriber_id = s.id))
"""
"""Rows that somebody has yet to do something about, and readers who have none."""

ABOUT_TO_GO = """
SELECT s.email FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
WHERE s.state = 'active' AND d.state IN ('sending', 'queued')
ORDER BY d.next_attempt_at NULLS FIRST LIMIT 20
"""

ROWS = """
SELECT s.email, d.state FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
"""

MANY_ROWS = """
SELECT s.email FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id
GROUP BY s.email HAVING count(*) > 1
"""


@dataclass
class ClusterAccount(Account):
    """The same for workers; `in_flight` and `repeats` are by what was done to them."""

    workers: int = 0
    took_s: float = 0.0
    in_flight: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    leases_lost: int = 0
    given_up: int = 0
    held_unseen: int = 0
    left: int = 0
    put_off: int = 0

    def _rows(self) -> str:
        return ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))

    def table(self) -> str:
        """What is to be told."""
        lines = [
            f"{self.recipients} recipients, {self.workers} workers on {HOSTS} hosts,"
            f" {self.took_s:.0f} s",
            f"{'workers were':14}{'times':>8}{'in flight':>12}{'came twice':>12}",
        ]
        lines += [
            f"{kind:14}{times:8}{self.in_flight[kind]:12}{self.repeats[kind]:12}"
            for kind, times in sorted(self.kills.items())
        ]
        lines += [
            f"mails {self.mails}; rows {self._rows()}; {self.left} unsubscribed meanwhile,"
            f" {self.put_off} were told to try again",
            f"lost {len(self.lost)}, came twice {self.repeated} (in flight {self.excused}),"
            f" other id or bytes {len(self.altered)}, mailed after leaving {len(self.unasked)},"
            f" without an end {self.unfinished}",
            f"leases lost {self.leases_lost}, workers that ended of themselves {self.given_up},"
            f" held and never arrived {self.held_unseen}",
        ]
        return "\n".join(lines) + "\n"


class Swarm:
    """A service under way, and what is done to it."""

    def __init__(
        self,
        store: Store,
        database: psycopg.Connection,
        crowd: Crowd,
        moody: Moody,
        rounds: int,
    ) -> None:
        self._store = store
        self._database = database
        self._crowd = crowd
        self._moody = moody
        self._rounds = rounds
        self._left: dict[str, float] = {}
        self._seen: dict[str, dict[int, str]] = defaultdict(dict)
        self._choose = Random(11)  # noqa: S311 - a test, the same choices at every run
        self._hosts = sorted({one.host for one in crowd.workers}, key=lambda host: host.number)

    def run(self, account: ClusterAccount) -> None:
        """Do to them what is to be done, let them end, and account for it."""
        began = monotonic()
        self._moody.reply_after_s = SLOWEST_S  # enough is to be left when all are there
        self._crowd.start()
        self._wait_for_all()
        for number in range(self._rounds):
            self._time_replies(account.recipients, self._rounds - number)
            self._round(number, account)
            account.given_up += self._crowd.revive()
        self._moody.reply_after_s = QUICKEST_S
        self._let_end(account)
        codes = self._crowd.close()
        account.took_s = monotonic() - began
        # The second of one that had not yet begun to listen.
        faulty = [code for code in codes if code not in {0, -signal.SIGTERM}]
        account.beyond += [f"a worker ended with {code}" for code in faulty]
        # A mail in doubt whose reader left meanwhile is not sent again; a day later it is held.
        self._store.expire(datetime.now(UTC) + timedelta(hours=25))
        self._settle(account)

    def _wait_for_all(self) -> None:
        """Wait until each of them has begun a mail, but not for ever."""
        until = monotonic() + START_S
        waiting = self._crowd.workers
        while waiting and monotonic() < until:
            sleep(0.5)
            waiting = [one for one in waiting if not self._in_flight([one])]

    # --- what is done to them -----------------------------------------------------------------

    def _time_replies(self, recipients: int, rounds: int) -> None:
        """Let the mail server take so long that what is left lasts for the rounds to come."""
        left = max(1, recipients - len(self._moody.took))
        at_once = CONNECTIONS * len(self._crowd.workers)
        aimed = at_once * rounds * ROUND_S / left
        self._moody.reply_after_s = min(SLOWEST_S, max(QUICKEST_S, aimed))

    def _round(self, number: int, account: ClusterAccount) -> None:
        """Let one thing of each kind happen, one upon the other; it ends when each is over."""
        kinds = self._choose.sample(KINDS, len(KINDS))
        agenda = [(monotonic() + self._choose.uniform(0, 3), kind) for kind in kinds]
        under_way: list[Blow] = []
        while agenda:
            at, kind = heapq.heappop(agenda)
            sleep(max(0.0, at - monotonic()))
            if over := next((one for one in under_way if one.kind == kind), None):
                over.end()
                continue
            blow = self._blow(kind, number, under_way)
            blow.begin()
            account.kills[kind] += 1
            account.in_flight[kind] += self._note_in_flight(blow)
            under_way.append(blow)
            heapq.heappush(agenda, (monotonic() + blow.lasts_s, kind))
            self._let_one_leave(account)

    def _blow(self, kind: str, number: int, under_way: Sequence[Blow]) -> Blow:
        """Something of that kind, for one who has begun a mail."""
        hit = [one for blow in under_way if blow.kind != "cut off" for one in blow.victims]
        victim = self._who_sends([one for one in self._crowd.workers if one not in hit])
        if kind == "killed":
            return killed(victim, self._choose.uniform(0, 3))
        if kind == "paused":
            return paused(victim, PAUSE_S if (number + 1) % LONG_EACH else LONG_PAUSE_S)
        cut_s, near = CUTS_S[number % len(CUTS_S)], number // len(CUTS_S) % 2 == 0
        return cut_off(victim.host, self._crowd.workers, cut_s, near=near)

    def _who_sends(self, among: Sequence[Worker]) -> Worker:
        """One of these who has begun a mail, or any of them when none does for a while."""
        until = monotonic() + SENDING_S
        while monotonic() < until:
            if sending := [one for one in among if one.runs and self._in_flight([one])]:
                return self._choose.choice(sending)
            sleep(0.05)
        return self._choose.choice(among)

    def _note_in_flight(self, blow: Blow) -> int:
        """Keep what the victims had begun, now that they can begin nothing; how much it was.

        A moment later: what the database was sent by then it has done by then.
        """
        sleep(0.1)
        found = self._in_flight(blow.victims)
        for recipient, attempt in found:
            self._seen[recipient][attempt] = blow.kind
        return len(found)

    def _in_flight(self, victims: Sequence[Worker]) -> list[tuple[str, int]]:
        processes = [str(one.process.pid) for one in victims]
        return self._database.execute(IN_FLIGHT, (processes,)).fetchall()

    def _let_one_leave(self, account: ClusterAccount) -> None:
        """Somebody unsubscribes whose mail is about to go out, or is on its way.

        They may be told that it cannot be done now; then they have not left.
        """
        found = self._database.execute(ABOUT_TO_GO).fetchall()
        if found:
            ((email,),) = self._choose.sample(found, 1)
            one = self._store.subscriber(email)
            assert one
            try:
                self._store.set_state(one.id, SubscriberState.UNSUBSCRIBED, datetime.now(UTC))
                self._left[email] = monotonic()
            except StoreError:
                account.put_off += 1

    # --- what came of it ----------------------------------------------------------------------

    def _let_end(self, account: ClusterAccount) -> None:
        """Wait until everybody has been answered, and nothing waits."""
        until = monotonic() + PATIENCE_S
        while monotonic() < until and self._database.execute(UNDER_WAY).fetchone() != (0,):
            sleep(0.5)
            account.given_up += self._crowd.revive()

    def _settle(self, account: ClusterAccount) -> None:
        """Compare what the mail server took with what the ledger says."""
        rows = {email: DeliveryState(state) for email, state in self._database.execute(ROWS)}
        for number in range(account.recipients):
            address = f"reader{number}@example.org"
            took, seen = self._moody.took.get(address, []), self._seen.get(address, {})
            state = rows.get(address)
            account.note(address, state, took, self._left.get(address, float("inf")))
            account.excused += len(seen)
            if len(took) - 1 > len(seen):
                account.beyond.append(f"came {len(took)} times, in flight {len(seen)}: {address}")
            if len(took) > 1:
                account.repeats[next(iter(seen.values()), "?")] += 1
            if state is DeliveryState.HELD:
                account.held_unseen += not took
                if not seen:
                    account.beyond.append(f"held and never in flight: {address}")
            if state is DeliveryState.REFUSED and self._moody.mood(address) != "refuse":
                account.lost.append(address)
        account.left = len(self._left)
        many = self._database.execute(MANY_ROWS).fetchall()
        account.beyond += [f"more than one row: {address}" for (address,) in many]
        logs = self._crowd.logs()
        account.leases_lost = logs.count("delivery.lease_lost")
        if "Traceback" in logs:
            account.beyond.append(f"{logs.count('Traceback')} tracebacks in the logs")


@contextmanager
def swarm(folder: Path, recipients: int, workers: int, rounds: int) -> Iterator[Swarm]:
    """The workers of a service with so many readers, whose mails are due over the rounds."""
    with ExitStack() as stack:
        middle, of = stack.enter_context(hosts(HOSTS))
        files = stack.enter_context(TemporaryDirectory(prefix="digest-pg-"))
        given = {"listen_addresses": f"'{','.join(host.database for host in of)}'", "port": "5432"}
        with inside(middle):
            server = of_debian(Path(files), {**HASTE, **given}, trusted=NET)
            address = made(stack.enter_context(server), "swarm")
            sockets = [socket.create_server((host.mail, 2525)) for host in of]
        moody = stack.enter_context(moody_server(*sockets, even=True))
        (folder / "own").mkdir()
        fill(folder / "own", address, recipients, rounds)
        crowd = Crowd(folder, folder / "own" / "secret.key", of, workers)
        crowd.configure(lambda host: f"postgresql://postgres@{host.database}/swarm", moody.port)
        stack.callback(crowd.close)
        store = PostgresStore(address, folder / "own" / "digest")
        stack.callback(store.close_store)
        database = stack.enter_context(psycopg.connect(address, autocommit=True))
        yield Swarm(store, database, crowd, moody, rounds)


def fill(folder: Path, address: str, recipients: int, rounds: int) -> None:
    """Papers and readers, a part of them due with each of the first minutes."""
    now = datetime.now(UTC)
    ahead = 12 - now.hour  # it is noon where they live, so that no day ends meanwhile
    timezone = f"Etc/GMT{-ahead:+d}"
    local = now + timedelta(hours=ahead)
    minutes = max(1, int(rounds * ROUND_S * 0.8 / 60))
    papers = [listing(f"Flash attention {n}", abstract="Flash attention.") for n in range(4)]
    with running(folder, data=address, now=now) as app:
        announce(app, *papers, at=now - timedelta(hours=2))
        for number in range(recipients):
            at = local + timedelta(minutes=number % minutes)
            one = subscriber(
                f"reader{number}@example.org",
                timezone=timezone,
                send_at=at.time().replace(second=0, microsecond=0),
                profile=profile(),
                origin=Origin.STORE,
            )
            app.store.put_subscriber(one, now)


def soak(recipients: int, workers: int, rounds: int) -> ClusterAccount:
    """So many things of each kind are done to the workers; the account of it."""
    account = ClusterAccount(recipients, workers=workers)
    with (
        TemporaryDirectory(prefix="digest-swarm-") as folder,
        swarm(Path(folder), recipients, workers, rounds) as one,
    ):
        one.run(account)
    return account


def main() -> None:
    """Soak, print the account, fail where the promise did not hold."""
    if reason := why_not() or ("" if programs_of_debian() else "no PostgreSQL of Debian's is here"):
        sys.exit(reason)
    recipients, rounds = (*map(int, sys.argv[1:]), *(10_000, 50)[len(sys.argv) - 1 :])
    account = soak(recipients, WORKERS, rounds)
    sys.stdout.write(account.table())
    sys.exit("\n".join(account.faults[:20]))


if __name__ == "__main__":
    main()
