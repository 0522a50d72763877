"""Shares of the subscribers: what several workers take up, each its own."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest

from digest.share import BUCKETS, EVERYBODY, Share, shares
from digest.store import Store
from tests.samples import NOW, subscriber
from tests.store.test_ledger import person, queued


@pytest.mark.parametrize(("workers", "made"), [(0, 1), (1, 1), (3, 3), (32, 32), (99, BUCKETS)])
def test_every_bucket_is_in_one_share(workers: int, made: int) -> None:
    """Whatever the number of workers; more of them than buckets get no share of their own."""
    dealt = shares(workers)
    assert len(dealt) == made
    assert sorted(chain.from_iterable(one.buckets for one in dealt)) == list(range(BUCKETS))
    assert shares(1) == [EVERYBODY]


def test_who_is_due_is_due_in_one_share(store: Store) -> None:
    """Those of all shares together are those of everybody."""
    for number in range(7):
        store.put_subscriber(subscriber(f"reader{number}@example.org"), NOW)
    everybody = list(store.due_ids(NOW))
    assert len(everybody) == 7
    for count in (2, 3):
        parts = [list(store.due_ids(NOW, share=one)) for one in shares(count)]
        assert sorted(chain.from_iterable(parts)) == everybody
        assert all(parts)


def test_what_waits_is_leased_in_one_share(store: Store) -> None:
    """A worker is given the rows of its share and no others, one bucket after the other."""
    for number in range(7):
        queued(store, person(store, f"reader{number}@example.org"))
    one, two = shares(2)
    mine = store.lease(NOW, 10, 60, "one", one)
    assert not store.lease(NOW, 10, 60, "one", one)
    yours = store.lease(NOW, 10, 60, "two", two)
    assert {len(mine), len(yours)} == {3, 4}
    assert len({lease.delivery_id for lease in (*mine, *yours)}) == 7
    due = set(store.due_ids(NOW + timedelta(days=1), share=one))
    assert {row.subscriber_id for row in store.ledger_rows(10)} & due == {
        row.subscriber_id
        for row in store.ledger_rows(10)
        if row.id in {lease.delivery_id for lease in mine}
    }


def test_no_more_is_leased_of_all_buckets_than_asked_for(store: Store) -> None:
    """Each call goes on where rows are left."""
    for number in range(7):
        queued(store, person(store, f"reader{number}@example.org"))
    share = next(one for one in shares(2) if len(list(store.due_ids(NOW + DAY, share=one))) == 4)
    sizes = [len(store.lease(NOW + timedelta(seconds=n), 3, 60, "w", share)) for n in range(3)]
    assert sizes == [3, 1, 0]


def test_no_bucket_is_left_behind(store: Store) -> None:
    """Taken one at a time, it is not always the same bucket that comes first."""
    for number in range(8):
        queued(store, person(store, f"reader{number}@example.org"))
    firsts = set[str]()
    for moment in range(64):
        now = NOW + timedelta(microseconds=moment)
        firsts.update(lease.recipient for lease in store.lease(now, 1, 60, "w", Share(0, 2)))
        store.give_back("w")
    assert len(firsts) == 4


DAY = timedelta(days=1)
