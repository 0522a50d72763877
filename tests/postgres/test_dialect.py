"""The verbs' SQL as psycopg reads it."""

from __future__ import annotations

import pytest

from digest.store.postgres.dialect import translated
from digest.store.postgres.words import LAST_PLACE, MOST_PLACES, vector_of, words_of


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT ? WHERE a = ?", "SELECT %s WHERE a = %s"),
        ("SELECT :now, :one_two", "SELECT %(now)s, %(one_two)s"),
        ("SELECT 'who? :now' || ?", "SELECT 'who? :now' || %s"),
        ("SELECT 5 % 3, '100%'", "SELECT 5 %% 3, '100%%'"),
        ("SELECT (?)::tsquery", "SELECT (%s)::tsquery"),
        ("title LIKE :part ESCAPE '\\'", "title ILIKE %(part)s ESCAPE '\\'"),
        ("UNLIKELY", "UNLIKELY"),
        ("FROM facets INDEXED BY facets_by_day WHERE", "FROM facets WHERE"),
    ],
)
def test_a_statement_is_translated(sql: str, expected: str) -> None:
    """Parameters, and what SQLite means by the same words; texts stay as they are."""
    assert translated(sql) == expected


def test_words_have_no_case_accents_and_endings() -> None:
    """As SQLite's index holds them."""
    assert words_of("Lévy FLIGHTS at time-steps") == ["levi", "flight", "at", "time", "step"]
    assert words_of("*!? ''") == []


def test_a_vector_holds_places_and_labels() -> None:
    """A phrase reaches from no field into the next, and nothing outgrows what a vector can hold."""
    assert vector_of([("A", "a b a"), ("D", "b")]) == "'a':1A,3A 'b':2A,5D"
    long = vector_of([("D", "a " * 20_000 + "end")])
    assert long.count(",") == MOST_PLACES - 1
    assert long.endswith(f"'end':{LAST_PLACE}D")
