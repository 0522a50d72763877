"""How much each keyword's column says for each listing of a batch.

Owns the evidence: a sparse matrix of columns x listings, made once for all profiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from digest.matcher import formula
from digest.matcher.lexicon import Lexicon, Role
from digest.matcher.names import Name, read_name, same_person
from digest.matcher.reading import ORG, TITLE, Batch, Ints
from digest.matcher.terms import PREFIX, Term
from digest.matcher.words import fold

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How often each unit stands in each listing, as a list of the pairs that are not zero."""

    unit: Ints
    listing: Ints
    title: Floats
    abstract: Floats


def count_units(lexicon: Lexicon, batch: Batch) -> Counts:
    """The counts of every unit of the lexicon in the batch."""
    hits = lexicon.finder.find(batch)
    field = batch.field[hits.start].astype(np.int64)
    slots = lexicon.slots()
    anywhere = np.where(field == ORG, -1, slots[hits.pattern, 0]) if len(slots) else field
    named = slots[hits.pattern, field + 1] if len(slots) else field
    values = _value_hits(lexicon, batch)
    unit = np.concatenate((anywhere, named, [u for u, _ in values])).astype(np.int64)
    where = batch.listing[hits.start]
    listing = np.concatenate((where, where, [at for _, at in values])).astype(np.int64)
    in_title = np.concatenate((field, field, [ORG] * len(values))) == TITLE
    kept = unit >= 0
    unit, listing, in_title = unit[kept], listing[kept], in_title[kept]
    key, which = np.unique(unit << 32 | listing, return_inverse=True)
    return Counts(
        (key >> 32).astype(np.int32),
        (key & 0xFFFFFFFF).astype(np.int32),
        np.bincount(which[in_title], minlength=len(key)).astype(float),
        np.bincount(which[~in_title], minlength=len(key)).astype(float),
    )


def evidence(lexicon: Lexicon, batch: Batch, counts: Counts) -> csr_matrix:
    """Columns x listings: what a keyword of weight 1 adds to a listing's sum."""
    shape = (len(lexicon.unit_rarities), len(batch))
    length = batch.lengths[counts.listing] / lexicon.statistics.usual_length
    often = formula.saturate(counts.title, counts.abstract, length)
    places = (counts.unit, counts.listing)
    units = csr_matrix((often, places), shape=shape)
    rows = len(lexicon.columns)
    column, unit, share = _columns(lexicon.recipe)
    made = csr_matrix((share, (column, unit)), shape=(rows, shape[0])) @ units
    present = csr_matrix((np.ones(len(often)), places), shape=shape)
    column, unit, share = _columns([(c, u, 1.0) for c, u in lexicon.outs])
    made = made + csr_matrix((share, (column, unit)), shape=(rows, shape[0])) @ present
    if lexicon.special:
        made = made + _special_rows(lexicon, units, rows)
    return made.astype(np.float32)


def _columns(entries: list[tuple[int, int, float]]) -> tuple[Floats, Floats, Floats]:
    table = np.array(entries, dtype=float).reshape(-1, 3)
    return table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2]


def _special_rows(lexicon: Lexicon, units: csr_matrix, rows: int) -> csr_matrix:
    """The rows of keywords with `+` or `|`: the mean of all parts, the most of any choice."""
    column, listing, value = [], [], []
    for number, role, term in lexicon.special:
        row = _best_choice(lexicon, units, term)
        at = np.flatnonzero(row)
        column.append(np.full(len(at), number))
        listing.append(at)
        value.append(row[at] if role is not Role.OUT else np.ones(len(at)))
    places = (np.concatenate(column), np.concatenate(listing))
    return csr_matrix((np.concatenate(value), places), shape=(rows, units.shape[1]))


def _best_choice(lexicon: Lexicon, units: csr_matrix, term: Term) -> Floats:
    best = np.zeros(units.shape[1])
    for choice in term.choices:
        wanted = [lexicon.unit(phrase) for phrase in choice]
        parts = units[wanted].toarray()
        rarities = np.array([lexicon.unit_rarities[unit] for unit in wanted])
        value = (parts * rarities[:, None]).mean(axis=0) * (parts > 0).all(axis=0)
        best = np.maximum(best, value)
    return best


# --- fields compared as a whole ---------------------------------------------------------------


def _value_hits(lexicon: Lexicon, batch: Batch) -> list[tuple[int, int]]:
    """(unit, listing) for each category, source and author that a keyword names."""
    if not lexicon.values:
        return []
    found: list[tuple[int, int]] = []
    for (field, value), unit in lexicon.values.items():
        if field == "author":
            found += [(unit, at) for at in by_author(batch, read_name(value))]
        else:
            found += [(unit, at) for at in _with_value(batch, field, value)]
    return found


def _with_value(batch: Batch, field: str, value: str) -> list[int]:
    kind, wanted = value[0], value[1:]
    return [
        at
        for at, listing in enumerate(batch.listings)
        for given in [listing.subjects if field == "category" else (listing.source,)]
        if any(_same_value(each, wanted, kind == PREFIX) for each in given)
    ]


def _same_value(given: str, wanted: str, beginning: bool) -> bool:
    plain = " ".join(fold(given).replace("-", " ").split())
    return plain.startswith(wanted) if beginning else plain == wanted


def by_author(batch: Batch, name: Name) -> list[int]:
    """The listings that a person of this name has written."""
    return [
        at
        for at, listing in enumerate(batch.listings)
        if any(same_person(name, read_name(author)) for author in listing.authors)
    ]
