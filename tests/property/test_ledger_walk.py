"""The ledger under any order of ticks, answers, crashes, naps and clock jumps, with two workers.

A model beside the store counts what the mail server took. After every step: each move was a legal
one, nobody has two rows for a day, and nobody was mailed twice but for a lost reply or a crash.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from digest.model import (
    MOVES,
    Deferred,
    DeliveryState,
    Outcome,
    Refused,
    Sent,
    SubscriberState,
    Unknown,
)
from digest.store.sqlite import SqliteStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import Held, claim, close

LEASE_S = 60.0
PEOPLE = 2
FINAL = {state for state, moves in MOVES.items() if not moves}

# A row may pass through several states within one verb: queued, sending and back, say.
REACHABLE = {state: {state, *moves} for state, moves in MOVES.items()}


OUTCOMES = st.sampled_from(
    [
        Sent("250 OK"),
        Refused(550, "550 no"),
        Deferred("451 later", 451),
        Deferred("421 busy", 421, relay=True),
        Unknown("lost"),
        Unknown("lost"),  # twice: what the promise is most about
    ]
)


class Ledger(RuleBasedStateMachine):
    """Two workers, two subscribers, a mail server with moods, a clock that jumps."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = SqliteStore(self.folder / "digest.db")
        self.now = NOW
        self.held: dict[str, list[Held]] = {"a": [], "b": []}
        self.took: Counter[tuple[int, str]] = Counter()
        self.excused: Counter[tuple[int, str]] = Counter()
        self.states: dict[int, DeliveryState] = {}
        self.ids: dict[tuple[int, str], set[str]] = defaultdict(set)
        self.left: dict[int, datetime] = {}
        self.people = [
            self.store.put_subscriber(subscriber(f"r{n}@example.org", send_at=time(7, 0)), NOW)
            for n in range(PEOPLE)
        ]

    def teardown(self) -> None:
        """Throw the file away."""
        self.store.close_store()
        shutil.rmtree(self.folder)

    @rule(minutes=st.sampled_from([2, 6, 35, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        """The clock goes on."""
        self.now += timedelta(minutes=minutes)

    @rule(minutes=st.sampled_from([1, 30, 90]))
    def clock_jumps_back(self, minutes: int) -> None:
        """Somebody sets the clock."""
        self.now -= timedelta(minutes=minutes)

    @rule()
    def tick(self) -> None:
        """Open digests for who is due; asking again finds nobody."""
        due = self.store.due(self.now, 10)
        shown = listing(f"paper of {self.now.isoformat()}")
        digests = [digest_of(d.subscriber, shown, digest_on=d.digest_on) for d in due]
        self.store.open_deliveries(FRAME, digests, self.now)
        assert not self.store.due(self.now, 10)

    @rule(worker=st.sampled_from(["a", "b"]), limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> None:
        """A worker settles what time has settled and takes rows."""
        self.store.expire(self.now)
        self.note_moves()
        self.held[worker] += claim(self.store, self.now, limit, LEASE_S, worker)

    @rule(worker=st.sampled_from(["a", "b"]), outcome=OUTCOMES, forgets=st.booleans())
    def send(self, worker: str, outcome: Outcome, forgets: bool) -> None:
        """Send one claimed row, if it is still wanted; a crash may forget the answer."""
        if not self.held[worker]:
            self.time_passes(6)
            self.tick()
            self.claim(worker, 1)
        if not self.held[worker]:
            return
        held = self.held[worker].pop()
        delivery = held.delivery
        if not self.store.wanted(held.lease, self.now):
            close(self.store, held, Deferred("withdrawn"), self.now, self.now)
            return
        key = (delivery.digest.subscriber.id, delivery.digest.digest_on.isoformat())
        self.ids[key].add(delivery.message_id)
        if isinstance(outcome, Sent | Unknown):
            assert key[0] not in self.left, "mailed after the unsubscribe was answered"
            self.took[key] += 1
            self.excused[key] += forgets or isinstance(outcome, Unknown)
        if not forgets:
            again = self.now + timedelta(minutes=5)
            close(self.store, held, outcome, self.now, again)

    @rule(worker=st.sampled_from(["a", "b"]))
    def crash(self, worker: str) -> None:
        """A worker forgets what it held; the store is opened anew."""
        self.held[worker].clear()
        self.store.close_store()
        self.store = SqliteStore(self.folder / "digest.db")

    @precondition(lambda self: not self.left)  # somebody has to stay
    @rule(who=st.integers(0, PEOPLE - 1))
    def leave(self, who: int) -> None:
        """A subscriber goes; from the answer on they are mailed no more."""
        self.store.set_state(self.people[who].id, SubscriberState.UNSUBSCRIBED, self.now)
        self.left.setdefault(self.people[who].id, self.now)

    def note_moves(self) -> None:
        """Every row has moved along the table of legal moves since it was last looked at."""
        for row, text in self.store.rows("SELECT id, state FROM deliveries"):
            state = DeliveryState(text)
            before = self.states.get(row, state)
            if before in FINAL:
                assert state is before, f"{before} is final, yet it became {state}"
            self.states[row] = state

    @invariant()
    def moves_are_legal(self) -> None:
        """Final states stay."""
        self.note_moves()

    @invariant()
    def one_row_a_day(self) -> None:
        """At most one digest per subscriber and local day."""
        rows = self.store.rows(
            "SELECT subscriber_id, digest_on, count(*) FROM deliveries GROUP BY 1, 2"
        )
        assert all(count == 1 for *_, count in rows)

    @invariant()
    def nobody_is_mailed_twice_without_excuse(self) -> None:
        """A second mail follows only a reply that was lost, bears the same id, and is the last."""
        for key, count in self.took.items():
            assert count <= 1 + self.excused[key]
            assert count <= 2
            assert len(self.ids[key]) == 1


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,  # each step writes to a disk
    suppress_health_check=[HealthCheck.too_slow],
)
