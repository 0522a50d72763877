"""How much each unit says for each listing of a batch.

Owns the evidence: a sparse matrix of units x listings, 0..1, made once for all profiles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from digest.language.names import Name, read_name, same_person
from digest.language.terms import PREFIX, Term, parse
from digest.language.words import fold
from digest.matcher import formula
from digest.matcher.lexicon import Lexicon
from digest.matcher.reading import ORG, TITLE, Batch, Counts, tally

Floats = NDArray[np.float64]


def count_units(lexicon: Lexicon, batch: Batch) -> Counts:
    """The counts of every unit of the lexicon in the batch."""
    hits = lexicon.finder.find(batch)
    field = batch.field[hits.start].astype(np.int64)
    where = batch.listing[hits.start].astype(np.int64)
    slots = lexicon.slots().astype(np.int64)
    anywhere = np.where(field == ORG, -1, slots[hits.pattern, 0])
    named = slots[hits.pattern, field + 1]
    values = np.array(_value_hits(lexicon, batch), dtype=np.int64).reshape(-1, 2)
    in_title = np.concatenate((field, field, np.full(len(values), ORG))) == TITLE
    counts = tally(
        np.concatenate((anywhere, named, values[:, 0])),
        np.concatenate((where, where, values[:, 1])),
        in_title,
    )
    return _without_joined(lexicon, counts) if lexicon.joined and len(counts.thing) else counts


def _without_joined(lexicon: Lexicon, counts: Counts) -> Counts:
    """The counts without joined spellings of a phrase that also stands as separate words."""
    apart = np.full(len(lexicon), -1)
    apart[list(lexicon.joined)] = list(lexicon.joined.values())
    keys = counts.thing << 32 | counts.listing
    wanted = apart[counts.thing] << 32 | counts.listing
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    kept = (apart[counts.thing] < 0) | (keys[place] != wanted)
    return Counts(counts.thing[kept], counts.listing[kept], counts.title[kept], counts.rest[kept])


def evidence(lexicon: Lexicon, batch: Batch, counts: Counts) -> csr_matrix:
    """Units x listings: how much of its worth each unit has in each listing."""
    length = batch.lengths[counts.listing] / lexicon.statistics.usual_length
    often = formula.saturate(counts.title, counts.rest, length)
    shape = (len(lexicon), len(batch))
    units = csr_matrix((often, (counts.thing, counts.listing)), shape=shape)
    if not lexicon.special:
        return units.astype(np.float32)
    rows = {
        number: csr_matrix(_best_choice(lexicon, units, parse(text)))
        for text, number in lexicon.special.items()
    }
    numbers = list(rows)
    place = csr_matrix(
        (np.ones(len(rows)), (numbers, range(len(rows)))), shape=(len(lexicon), len(rows))
    )
    return (units + place @ vstack(list(rows.values()))).astype(np.float32).tocsr()


def _best_choice(lexicon: Lexicon, units: csr_matrix, term: Term) -> Floats:
    """The evidence of a keyword with `+` or `|`: the mean of all parts, the most of any choice."""
    best = np.zeros(units.shape[1])
    for choice in term.choices:
        wanted = [lexicon.unit(phrase) for phrase in choice]
        parts = units[wanted].toarray()
        rarities = np.array([lexicon.rarities[unit] for unit in wanted])
        mean = rarities @ parts / max(rarities.sum(), 1e-9) * (parts > 0).all(axis=0)
        best = np.maximum(best, mean * formula.phrase_rarity(rarities.tolist()))
    return best / max(lexicon.rarities[lexicon.special[term.text]], 1e-9)


# --- fields compared as a whole ---------------------------------------------------------------


def _value_hits(lexicon: Lexicon, batch: Batch) -> list[tuple[int, int]]:
    """(unit, listing) for each category, source and author that a keyword names."""
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
        if any(
            _same_value(each, wanted, kind == PREFIX)
            for each in (listing.subjects if field == "category" else (listing.source,))
        )
    ]


def _same_value(given: str, wanted: str, beginning: bool) -> bool:
    """Whether a category is the wanted one or, as `cs.LG` to `cs`, lies within it."""
    plain = " ".join(fold(given).replace("-", " ").split())
    return plain.startswith(wanted if beginning else wanted + ".") or plain == wanted


def by_author(batch: Batch, name: Name) -> list[int]:
    """The listings that a person of this name has written."""
    return [
        at
        for at, listing in enumerate(batch.listings)
        if any(same_person(name, read_name(author)) for author in listing.authors)
    ]
