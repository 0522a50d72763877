"""Where words in order stand in a batch, for all phrases at once.

Owns a trie over symbols and the walk of a whole batch through it. A word offers its stem, itself
and its beginnings as symbols, two neighbours also what they give when joined; a phrase is found
where a path of symbols ends. Time is linear in the words of the batch, whatever the phrases.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digest.language.stems import stem
from digest.language.terms import EXACT, STEM
from digest.language.words import PARTED
from digest.matcher.reading import Batch, Index, Ints

_SHIFT = 32
Longs = NDArray[np.int64]
Sequences = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Occurrences: which pattern begins at which word of the batch, and the word after its end."""

    pattern: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """The symbols of a batch in order of the word `at` which each begins; `after` their ends."""

    at: Longs
    symbol: Ints
    after: Longs


class Finder:
    """Patterns, numbered in the order in which they were added; each has one or more sequences."""

    def __init__(self) -> None:
        self._symbols: dict[str, int] = {}
        self._steps: dict[int, int] = {}
        self._ends = array("q")
        self._nodes = 1
        self._patterns: dict[tuple[Sequences, str], int] = {}
        self._beginnings: set[str] = set()
        self._tables: tuple[Longs, Ints, Longs, Ints] | None = None

    def __len__(self) -> int:
        return len(self._patterns)

    def add(self, sequences: Sequences, name: str = "") -> int:
        """The number of the pattern that has these sequences (and this name)."""
        known = self._patterns.get((sequences, name))
        if known is not None:
            return known
        number = self._patterns[sequences, name] = len(self._patterns)
        for sequence in sequences:
            self._ends.append(self._path(sequence) << _SHIFT | number)
        self._tables = None
        return number

    def known(self, sequences: Sequences) -> int:
        """The number of the pattern that has these sequences, or -1."""
        return self._patterns.get((sequences, ""), -1)

    def _path(self, sequence: Iterable[str]) -> int:
        node = 0
        for symbol in sequence:
            number = self._symbols.setdefault(symbol, len(self._symbols))
            if number == len(self._symbols) - 1 and symbol[0] == STEM:
                self._beginnings.update(symbol[1:end] for end in range(1, len(symbol)))
            key = (node << _SHIFT) | number
            if key not in self._steps:
                self._steps[key] = self._nodes
                self._nodes += 1
            node = self._steps[key]
        return node

    def _built(self) -> tuple[Longs, Ints, Longs, Ints]:
        """Steps sorted by key with their nodes; for each node where its patterns begin; those."""
        if self._tables is None:
            keys = np.fromiter(self._steps.keys(), np.int64, len(self._steps))
            nodes = np.fromiter(self._steps.values(), np.int32, len(self._steps))
            sort = np.argsort(keys)
            ends = np.sort(np.array(self._ends, dtype=np.int64))
            first = np.searchsorted(ends >> _SHIFT, np.arange(self._nodes + 1))
            self._tables = keys[sort], nodes[sort], first, (ends & 0xFFFFFFFF).astype(np.int32)
        return self._tables

    def find(self, batch: Batch) -> Hits:
        """Every occurrence of every pattern, each once, in order of pattern and place."""
        if not len(batch.word) or not self._steps:
            nothing = np.zeros(0, dtype=np.int32)
            return Hits(nothing, nothing, nothing)
        edges = self._edges(batch)
        if not len(edges.symbol):  # no word of the batch is a word of any pattern
            nothing = np.zeros(0, dtype=np.int32)
            return Hits(nothing, nothing, nothing)
        found = self._walk(batch, edges)
        key, place = np.unique(found[0].astype(np.int64) << _SHIFT | found[1], return_index=True)
        return Hits(
            (key >> _SHIFT).astype(np.int32), (key & 0xFFFFFFFF).astype(np.int32), found[2][place]
        )

    def _walk(self, batch: Batch, edges: _Edges) -> tuple[Ints, Ints, Ints]:
        """Pattern, start and end of every path through the trie, all paths a step at a time."""
        patterns, starts, stops = [], [], []
        start, edge = edges.at, np.arange(len(edges.symbol))
        node = np.zeros(len(edge), dtype=np.int64)
        while len(edge):
            node, moved = self._step(node, edges.symbol[edge])
            start, after = start[moved], edges.after[edge][moved]
            number, of = self._outputs(node)
            patterns.append(number)
            starts.append(start[of])
            stops.append(after[of])
            goes_on = batch.stand[after - 1] != PARTED
            start, node, after = start[goes_on], node[goes_on], after[goes_on]
            low = np.searchsorted(edges.at, after)
            count = np.searchsorted(edges.at, after, side="right") - low
            start, node = np.repeat(start, count), np.repeat(node, count)
            edge = spread(low, count)
        return np.concatenate(patterns), np.concatenate(starts), np.concatenate(stops)

    def _step(self, node: Longs, symbol: Ints) -> tuple[Longs, NDArray[np.bool_]]:
        keys, nodes, _, _ = self._built()
        wanted = (node << _SHIFT) | symbol
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        moved = keys[place] == wanted
        return nodes[place[moved]].astype(np.int64), moved

    def _outputs(self, node: Longs) -> tuple[Ints, Longs]:
        """The patterns that end at these nodes, and for each which of the nodes it was."""
        _, _, first, ends = self._built()
        count = first[node + 1] - first[node]
        of = np.repeat(np.arange(len(node)), count)
        return ends[spread(first[node], count)], of

    # --- the symbols that a batch offers ------------------------------------------------------

    def _edges(self, batch: Batch) -> _Edges:
        index = batch.index
        word, symbol = self._offers(index)
        size = index.first[word + 1] - index.first[word]
        at = index.places[spread(index.first[word], size)]
        pair_at, pair_symbol = self._pairs(batch)
        symbol = np.concatenate((np.repeat(symbol, size), pair_symbol))
        after = np.concatenate((at + 1, pair_at + 2))
        at = np.concatenate((at, pair_at))
        sort = np.argsort(at, kind="stable")
        return _Edges(at[sort], symbol[sort], after[sort])

    def _offers(self, index: Index) -> tuple[Longs, Ints]:
        """(word, symbol) for every word of the batch that is, or is compared as, a symbol."""
        words: list[int] = []
        symbols: list[int] = []
        for symbol, number in self._symbols.items():
            found = _words_for(index, symbol[0], symbol[1:])
            words += found
            symbols += [number] * len(found)
        return np.array(words, dtype=np.int64), np.array(symbols, dtype=np.int32)

    def _pairs(self, batch: Batch) -> tuple[Longs, Ints]:
        """Where two neighbours give a known symbol when written as one word."""
        index, words = batch.index, batch.vocabulary
        begins = np.array([word in self._beginnings for word in words], dtype=bool)
        known = np.full(len(index.left), -1, dtype=np.int32)
        for i in np.flatnonzero(begins[index.left] & index.joins).tolist():
            one, two = words[index.left[i]], words[index.right[i]]
            known[i] = self._symbols.get(STEM + stem(one + two), -1)
        hit = np.flatnonzero((known >= 0)[index.pair])
        return index.pair_places[hit], known[index.pair[hit]]


def _words_for(index: Index, kind: str, text: str) -> list[int]:
    """The words of a batch that a symbol stands for."""
    if kind == STEM:
        return index.by_stem.get(text, [])
    if kind == EXACT:
        return [index.by_word[text]] if text in index.by_word else []
    low = bisect_left(index.ordered, text)
    high = bisect_left(index.ordered, text + "\U0010ffff")
    return [index.by_word[word] for word in index.ordered[low:high]]


def spread(first: Longs, size: Longs) -> Longs:
    """The numbers from each `first` on, `size` of them, one run after the other."""
    return np.repeat(first - np.cumsum(size) + size, size) + np.arange(size.sum())
