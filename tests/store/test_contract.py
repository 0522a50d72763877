"""The contract itself: no verb without a case that runs on both stores."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from digest.store import Store
from digest.store.postgres.store import PostgresStore
from digest.store.sqlite import SqliteStore

VERBS = sorted(name for name, _ in inspect.getmembers(Store, inspect.isfunction) if name[0] != "_")
CALLED = {
    verb
    for path in Path(__file__).parent.glob("test_*.py")
    if "def store(" not in (text := path.read_text("utf-8"))  # those are SQLite's alone
    for verb in re.findall(r"store\.(\w+)\(", text)
}
ONES_OWN = {
    "back_up": "each database is copied by its own tools",
    "notice_restore": "tests/test_restoring.py and tests/postgres/test_beside.py",
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_case_that_runs_on_both_stores(verb: str) -> None:
    """A new verb is tried here before anything is built on it."""
    assert (verb in CALLED) != (verb in ONES_OWN)


def test_both_stores_have_every_verb() -> None:
    """By the same words, in the same order."""
    for verb in VERBS:
        told = inspect.signature(getattr(Store, verb)).parameters
        for store in (SqliteStore, PostgresStore):
            assert list(inspect.signature(getattr(store, verb)).parameters) == list(told), verb
