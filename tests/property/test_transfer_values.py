"""Whatever SQLite lets a column hold: it arrives as it is on the other side, or is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.store.sqlite import SqliteStore
from digest.store.transfer.comparing import compare_table
from digest.store.transfer.end import End
from digest.store.transfer.opening import both
from digest.store.transfer.values import Column, Row, why_not
from tests.postgres.database import new_database

TEXTS = st.text() | st.sampled_from(
    [
        "",
        "\\N",
        "\\.",
        "\t\n\r\\",
        "'\"",
        "NULL",
        "\x00",
        "a\x00b",
        "\ufeff",
        "\u2028",
        "🦋",
        "e\u0301",
    ]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 0])
VALUES = TEXTS | NUMBERS | st.binary() | st.floats(allow_nan=False) | st.none()


@pytest.fixture
def kind() -> str:
    """One server is enough: what it holds is no matter of its language."""
    return "wheel"


@pytest.fixture
def ends(tmp_path: Path, server: str) -> Iterator[tuple[End, End, End]]:
    """A file as it is read, and a server and another file as they are written."""
    for name in ("one.db", "two.db"):
        SqliteStore(tmp_path / name).close_store()
    with ExitStack() as stack:
        first, second = (tmp_path / name for name in ("one.db", "two.db"))
        source, there = stack.enter_context(both(first, new_database(server), tmp_path, makes=True))
        _, back = stack.enter_context(both(second, tmp_path / "back.db", tmp_path, makes=True))
        yield source, there, back


def stored(values: tuple[object, ...]) -> Row:
    """A row of letters with these values as SQLite has them, which may be others by then."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a TEXT, b INTEGER, c BLOB, d TEXT)")
        db.execute("INSERT INTO t VALUES (?, ?, ?, ?)", values)
        row: Row = db.execute("SELECT a, b, c, d FROM t").fetchone()
        return row


def test_what_can_be_held_arrives_as_it_is(ends: tuple[End, End, End]) -> None:
    """There and back: the same values of the same kinds; what cannot be held is said before."""
    source, there, back = ends
    columns = source.columns("letters")
    assert columns == there.columns("letters")
    plain = {name: "" if column.kind is str else 0 for name, column in columns.items()}

    @given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=5))
    @settings(deadline=None, max_examples=100)
    def hold(drawn: list[tuple[object, ...]]) -> None:
        rows = []
        for number, (body, signup_id, closed_at) in enumerate(drawn, 1):
            a, b, _, d = stored((body, signup_id, None, closed_at))
            given_ = {"id": number, "message_id": str(number)}
            own = {"body": a, "signup_id": b, "closed_at": d}
            row = tuple({**plain, **given_, **own}.values())
            reasons = [
                why_not(value, column, holds_nul=False)
                for value, column in zip(row, columns.values(), strict=True)
            ]
            if not any(reasons):
                rows.append(row)
        for end in (there, back):
            with end.writing() as db:
                db.execute("DELETE FROM letters")
                end.write(db, "letters", list(columns), rows)
            assert list(end.read("letters", list(columns))) == rows
        found = compare_table(there, back, "letters", lambda more: None)
        told = sha256(b"".join(repr(row).encode() for row in rows)).hexdigest()
        assert (found.hashes, found.differs) == ((told, told), "")

    hold()


@given(VALUES, st.booleans(), st.sampled_from(["TEXT", "INTEGER", "BLOB"]))
def test_every_value_has_a_place_or_a_reason(value: object, nullable: bool, kind: str) -> None:
    """The reason is there exactly where a server would refuse, or change, what SQLite has."""
    column = Column({"TEXT": str, "INTEGER": int, "BLOB": bytes}[kind], nullable)
    reason = why_not(value, column, holds_nul=False)  # type: ignore[arg-type]
    held = (
        nullable
        if value is None
        else type(value) is column.kind and not (isinstance(value, str) and "\x00" in value)
    )
    assert bool(reason) != held


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "🦋\ud83e"])
def test_half_a_pair_is_no_text(text: str) -> None:
    """As a lone surrogate it could be encoded by nobody."""
    assert why_not(text, Column(str, nullable=False), holds_nul=True) == "it is no UTF-8"
