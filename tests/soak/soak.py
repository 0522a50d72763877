"""The account of a run with kills: who got what, and whether the promise held.

`python -m tests.soak.soak [RECIPIENTS] [KILLS A POINT]` (10,000 and 3) prints the account and fails
when the promise does not hold.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from time import monotonic

from digest.app import open_app
from digest.config import parse_config
from digest.model import Origin, SubscriberState
from digest.store import Store
from digest.store.sqlite import SqliteStore
from tests.running import announce
from tests.samples import listing, profile, subscriber
from tests.soak.account import Account
from tests.soak.server import Moody, moody_server
from tests.soak.service import OURS

CONNECTIONS = 4
THEIRS = ("MAIL", "RCPT", "mid-DATA", "dot")
SHUTDOWN = "during the shutdown"
POINTS = (*OURS, *THEIRS, SHUTDOWN)
BEGUN = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
ROUND = timedelta(minutes=20)
"""From one round to the next: more than a lease and a first retry, and all of them in one day."""

CONFIG = f"""
[service]
base_url = "https://digest.example.org"
[mail]
from = "Paper digest <digest@example.org>"
[smtp]
host = "127.0.0.1"
port = {{port}}
tls = "none"
connections = {CONNECTIONS}
messages_per_connection = 1000
lease_s = 60
timeout_s = 20
final_timeout_s = 20
"""


class Soak:
    """Subscribers, a mail server with moods, and a service that is killed again and again."""

    def __init__(self, folder: Path, moody: Moody, recipients: int) -> None:
        self._folder = folder
        self._moody = moody
        self._now = BEGUN
        self._left: dict[str, float] = {}
        self._choose = random.Random(11)  # noqa: S311 - a test, the same at every run
        self.account = Account(recipients)
        text = CONFIG.format(port=moody.port)
        (folder / "config.toml").write_text(text, "utf-8")
        config = parse_config(text, "config.toml", folder)
        papers = [listing(f"Flash attention {n}", abstract="Flash attention.") for n in range(4)]
        with open_app(config, BEGUN) as app:
            announce(app, *papers, at=BEGUN - timedelta(hours=2))
            for number in range(recipients):
                one = subscriber(
                    f"reader{number}@example.org",
                    send_at=time(0, 0),
                    profile=profile(),
                    origin=Origin.STORE,
                )
                app.store.put_subscriber(one, BEGUN)
        moody.storm_from = recipients // 3
        self._store: Store = SqliteStore(folder / "digest.db")

    def kill_at(self, point: str) -> None:
        """One round that ends at a point; where the process had nothing left to do, it ended."""
        process = self._start(point)
        if point in THEIRS:
            self._moody.strike = (process.pid, point, self._choose.randrange(20))
        if point == SHUTDOWN:
            self._wait_for_mail(process)
            process.send_signal(signal.SIGTERM)
            self._choose.random()
            threading.Event().wait(self._choose.random() * 0.05)
            process.kill()
        self._let_some_leave()
        self._end(process)
        if process.returncode == -signal.SIGKILL:
            self.account.kills[point] += 1

    def finish(self) -> None:
        """Rounds without kills until nothing waits."""
        for _ in range(30):
            if self._store.next_attempt_at() is None:
                break
            self._end(self._start("never"))
        # A mail in doubt whose reader left meanwhile is not sent again; a day later it is held.
        self._store.expire(self._now + timedelta(hours=25))

    def close(self) -> Account:
        """The account."""
        account, moody = self.account, self._moody
        # Each connection has two sessions: one message on its way, one behind it.
        account.excused = 2 * CONNECTIONS * account.kills.total() + moody.lost_after_dot
        for number in range(account.recipients):
            address = f"reader{number}@example.org"
            one = self._store.subscriber(address)
            assert one
            row = self._store.delivery(one.id, BEGUN.date())
            left_at_s = self._left.get(address, float("inf"))
            took = moody.took.get(address, [])
            account.note(address, row.state if row else None, took, left_at_s)
        self._store.close_store()
        return account

    def _start(self, point: str) -> subprocess.Popen[bytes]:
        self._now += ROUND / 2
        passes = 0 if point == OURS[0] else self._choose.randrange(1, 12)
        words = [str(self._folder), self._now.isoformat(), point, str(passes)]
        return subprocess.Popen([sys.executable, "-m", "tests.soak.service", *words])

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.wait(timeout=600)
        assert process.returncode in {0, -signal.SIGKILL}, f"it ended with {process.returncode}"
        self._moody.strike = None
        self._now += ROUND / 2

    def _wait_for_mail(self, process: subprocess.Popen[bytes]) -> None:
        before, until = self._moody.transactions, monotonic() + 60
        while process.poll() is None and monotonic() < until:
            if self._moody.transactions > before + 5:
                return
            threading.Event().wait(0.01)

    def _let_some_leave(self) -> None:
        """Two of those who have had nothing yet unsubscribe while the mails go out."""
        for _ in range(2):
            number = self._choose.randrange(self.account.recipients)
            one = self._store.subscriber(f"reader{number}@example.org")
            if one and one.state is SubscriberState.ACTIVE:
                self._store.set_state(one.id, SubscriberState.UNSUBSCRIBED, self._now)
                self._left[one.email] = monotonic()


def soak(recipients: int, rounds: int) -> Account:
    """Kill the service so many times at each point; the account of it."""
    with tempfile.TemporaryDirectory() as folder, moody_server() as moody:
        one = Soak(Path(folder), moody, recipients)
        for _ in range(rounds):
            for point in POINTS:
                one.kill_at(point)
        one.finish()
        return one.close()


def main() -> None:
    """Soak, print the account, fail where the promise did not hold."""
    recipients, rounds = (*map(int, sys.argv[1:]), *(10_000, 3)[len(sys.argv) - 1 :])
    account = soak(recipients, rounds)
    sys.stdout.write(
        f"{account.recipients} recipients, {account.mails} mails, {dict(account.states)}\n"
        f"{account.kills.total()} kills: {dict(account.kills)}\n"
        f"lost {len(account.lost)}, repeated {account.repeated}"
        f" (in flight: {account.excused})\n"
    )
    sys.exit("\n".join(account.faults[:20]))


if __name__ == "__main__":
    main()
