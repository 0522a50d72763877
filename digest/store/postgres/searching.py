"""Full text on PostgreSQL: two vectors of words a listing, whose labels tell the fields.

Every word of a search is letters and digits when it comes into an expression (X8).
Source: https://www.postgresql.org/docs/current/textsearch-controls.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from digest.query import Query, Sought
from digest.store.connection import Statements
from digest.store.postgres.words import vector_of, words_of
from digest.store.searching import SearchingVerbs, forms_of
from digest.store.shelves import Order
from digest.store.shelving import COLUMNS

_PLACES = {
    "title": ("words", "A"),
    "author": ("words", "B"),
    "org": ("words", "C"),
    "abstract": ("words", "D"),
    "category": ("marks", "A"),
    "source": ("marks", "B"),
    "id": ("marks", "C"),
}
"""Field -> the vector that it stands in, and its label there."""

_SCORE = (
    "-ts_rank('{0.125, 0.25, 0.5, 1}', words, (?)::tsquery)"
    " - ts_rank('{0, 0.5, 0.0625, 0.25}', marks, (?)::tsquery) / 2"
)
"""What a hit counts for: labels D to A, as much as in SQLite's columns; the lowest is the best."""


class PostgresSearch(SearchingVerbs):
    """What is searched, in the table `search`."""

    def scored(self, query: Query, order: Order, limit: int) -> Sequence[tuple[float, int]]:
        """(score, negative row) of what a search finds, the newest first."""
        wanted = [[_expression(one) for one in group] for group in query.wanted]
        conditions = ["(" + " OR ".join(_condition(one) for one in group) + ")" for group in wanted]
        unwanted = [_expression(one) for one in query.unwanted]
        conditions += [f"NOT {_condition(one)}" for one in unwanted]
        asked = [one for group in (*wanted, unwanted) for one in group]
        values = [expression for field, expression in asked for _ in _vectors(field)]
        every = " | ".join(f"({words})" for group in wanted for _, words in group if words)
        best = order is Order.BEST
        return self.rows(
            f"SELECT {_SCORE if best else '-listing_id'}, -listing_id FROM search"  # noqa: S608 - constants
            f" WHERE {' AND '.join(conditions)} ORDER BY listing_id DESC LIMIT ?",
            [*([every, every] if best else []), *values, limit],
        )

    def keep_words(self, db: Statements, texts: Mapping[int, tuple[str, ...]]) -> Collection[int]:
        """Keep what is searched of listings, by their rows; returns those that were not so yet."""
        return keep_in_vectors(db, texts)


def keep_in_vectors(db: Statements, texts: Mapping[int, tuple[str, ...]]) -> Collection[int]:
    """Keep what is searched of rows in the vectors; returns those that were not so yet."""
    return [row for row, own in texts.items() if _keep(db, row, own)]


def _keep(db: Statements, row: int, texts: tuple[str, ...]) -> bool:
    """Keep what is searched of a listing; false where it is so already."""
    named = dict(zip(COLUMNS, texts, strict=True))
    words, marks = (
        vector_of([(label, named[field]) for field, (at, label) in _PLACES.items() if at == one])
        for one in ("words", "marks")
    )
    kept = db.execute(
        "INSERT INTO search (listing_id, words, marks) VALUES (?, ?, ?)"
        " ON CONFLICT (listing_id) DO UPDATE SET words = excluded.words, marks = excluded.marks"
        " WHERE search.words != excluded.words OR search.marks != excluded.marks",
        (row, words, marks),
    )
    return bool(kept.rowcount)


def _vectors(field: str) -> Sequence[str]:
    """The vectors that a field may stand in; all of them for any field."""
    return (_PLACES[field][0],) if field in _PLACES else ("words", "marks")


def _condition(asked: tuple[str, str]) -> str:
    """Where the words of (field, expression) stand."""
    return "(" + " OR ".join(f"{one} @@ (?)::tsquery" for one in _vectors(asked[0])) + ")"


def _expression(one: Sought) -> tuple[str, str]:
    """(field, tsquery) of what is sought; an empty query finds nothing."""
    label = _PLACES[one.field][1] if one.field in _PLACES else ""
    return one.field, " | ".join(filter(None, _phrases(one, label)))


def _phrases(one: Sought, label: str) -> Iterator[str]:
    for text, is_prefix in forms_of(one):
        words = words_of(text)
        ends = [label] * (len(words) - 1) + [f"*{label}" if is_prefix else label]
        pairs = zip(words, ends, strict=False)
        yield " <-> ".join(f"'{word}'" + (f":{end}" if end else "") for word, end in pairs)
