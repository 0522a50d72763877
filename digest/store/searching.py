"""The store's verb that finds listings by words, and the forms in which words are sought.

What was found is marked by SQLite's FTS5, whatever database found it. Every word of a search goes
into its expression quoted, the columns from a list of ours (X8).
Source: https://www.sqlite.org/fts5.html
"""

from __future__ import annotations

import sqlite3
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import closing

import Stemmer

from digest.model import Listing
from digest.query import Query, Sought
from digest.store.listings import ListingVerbs
from digest.store.shelves import MOST_FOUND, Found, Hit, Marked, Order
from digest.store.shelving import CLOSES, COLUMNS, FULL_TEXT, OPENS, texts_of

_PASSAGE = 48  # words; FTS5 allows 64

_PORTER = Stemmer.Stemmer("porter")  # the one that FTS5 has
_ENDINGS = tuple(
    dict.fromkeys(
        ending[at:]
        for ending in (
            "izations", "ations", "ities", "nesses", "iveness", "fulness", "ously", "ments",
            "ables", "ibles", "ances", "ences", "ings", "ically", "edly", "isms", "ists", "ers",
        )
        for at in range(1, len(ending))
    )
)  # fmt: skip
"""What may follow the beginning of a word that stops within its ending."""


class SearchingVerbs(ListingVerbs):
    """Full text; see `ListingReader` for what the verb promises."""

    def search(self, query: Query, order: Order, limit: int, offset: int) -> Found:
        """What a search finds, best or newest first."""
        if not query.wanted:
            return Found((), 0)
        # Found once for the count and the order: a phrase of two common words takes 10 ms to find.
        scored = self.scored(query, order, MOST_FOUND + 1)
        best = sorted(scored[:MOST_FOUND])[offset : offset + limit]
        listings = self.listings_by_id([-newest for _, newest in best])
        return Found(hits_of(listings, query), len(scored))

    @abstractmethod
    def scored(self, query: Query, order: Order, limit: int) -> Sequence[tuple[float, int]]:
        """(score, negative row) of what a search finds, the newest first; the lowest is the best.

        The score of the newest is that row, too.
        """


def hits_of(listings: Sequence[Listing], query: Query) -> list[Hit]:
    """The listings with what was found marked.

    An index of their own finds it: the large one would look for the whole expression each time.
    """
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(FULL_TEXT)
        db.executemany(
            f"INSERT INTO search VALUES ({', '.join('?' * len(COLUMNS))})",  # noqa: S608 - a count
            map(texts_of, listings),
        )
        marks = f"'{OPENS}', '{CLOSES}'"
        found = db.execute(
            f"SELECT rowid, highlight(search, 0, {marks}),"  # noqa: S608 - constants
            f" snippet(search, 1, {marks}, '…', {_PASSAGE}) FROM search WHERE search MATCH ?",
            (match_of(query),),
        )
        marked = {row: (_marked(title), _marked(passage)) for row, title, passage in found}
    nothing: tuple[Marked, Marked] = ((), ())
    return [Hit(one, *marked.get(row, nothing)) for row, one in enumerate(listings, 1)]


def match_of(query: Query) -> str:
    """The FTS5 expression of a search."""
    wanted = " AND ".join(f"({' OR '.join(map(_phrase, group))})" for group in query.wanted)
    unwanted = "".join(f" NOT ({_phrase(one)})" for one in query.unwanted)
    return f"({wanted}){unwanted}"


def _phrase(one: Sought) -> str:
    column = f"{{{one.field}}} : " if one.field in COLUMNS else ""
    forms = (_quoted(words) + "*" * is_prefix for words, is_prefix in forms_of(one))
    return f"{column}({' OR '.join(forms)})"


def forms_of(one: Sought) -> Iterator[tuple[str, bool]]:
    """The ways in which what was sought may stand in a text, and whether it is a beginning."""
    star = one.is_prefix and one.words[-1:].isalnum()
    yield one.words, star
    if star:
        yield from ((words, False) for words in _beyond(one.words))
    elif "-" in one.words:  # `time-step` is also written `timestep`
        yield one.words.replace("-", ""), False


def _beyond(beginning: str) -> list[str]:
    """Words of that beginning whose stems are shorter: `universi*` means `universities`.

    The index holds stems, of which a long beginning need not be one.
    """
    head, _, last = beginning.lower().rpartition(" ")
    if not last.isascii():
        return []
    own = _PORTER.stemWord(last)
    longer = {_PORTER.stemWord(last + ending): last + ending for ending in _ENDINGS}
    return [f"{head} {word}" for stem, word in longer.items() if not stem.startswith(own)]


def _quoted(words: str) -> str:
    """The words as a phrase that holds no operator."""
    return '"' + words.replace('"', " ").replace("\x00", " ") + '"'


def _marked(text: str) -> Marked:
    """The text in pieces, those between the marks as found."""
    pieces: list[tuple[bool, str]] = []
    for part in text.split(OPENS):
        found, closes, rest = part.partition(CLOSES)
        pieces += [(True, found), (False, rest)] if closes else [(False, part)]
    return tuple(piece for piece in pieces if piece[1])
