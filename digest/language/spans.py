"""Where keywords stand in a text that is about to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from digest.errors import KeywordError
from digest.language.stems import stem
from digest.language.terms import EXACT, PREFIX, STEM, may_join, parse
from digest.language.words import GLUED, PARTED, Place, places

_Trie = dict[str, "_Trie"]
_END = ""


@dataclass(frozen=True, slots=True)
class _Text:
    """A text read once for every set of terms.

    `symbols` holds for each word the symbols that begin there with the words that each takes;
    `begins` leads from a symbol to the words where it begins.
    """

    words: Sequence[Place]
    symbols: list[tuple[tuple[str, int], ...]]
    begins: dict[str, list[int]]


def find_spans(terms: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Character ranges of `text` where any of these keywords stands, in order, none overlapping.

    The longest range wins where two begin alike. Terms that are no keywords are passed over.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _all_spans(tuple(sorted(set(terms))), text):
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return spans


def find_all(term: str, text: str) -> list[tuple[int, int]]:
    """Every character range of `text` where the keyword stands, in order; they may overlap.

    Out of those of several keywords come their `find_spans`, by taking the longest that begin
    first. A term that is no keyword stands nowhere.
    """
    return list(_all_spans((term,), text))


def _all_spans(terms: tuple[str, ...], text: str) -> Iterator[tuple[int, int]]:
    """The longest range at each word where one of the terms begins."""
    trie, read = _trie(terms), _read(text)
    for at in sorted(_beginnings(trie, read)):
        if end := _longest(trie, read, at):
            yield read.words[at].start, read.words[end - 1].end


@lru_cache(maxsize=2048)  # the texts of a day, each asked about by many readers
def _read(text: str) -> _Text:
    words = places(text)
    symbols = [_symbols(words, at) for at in range(len(words))]
    begins: dict[str, list[int]] = {}
    for at, here in enumerate(symbols):
        for symbol, _ in here:
            begins.setdefault(symbol, []).append(at)
    return _Text(words, symbols, begins)


def _beginnings(trie: _Trie, read: _Text) -> set[int]:
    """The words at which some keyword may begin."""
    found: set[int] = set()
    for symbol in trie:
        if symbol[:1] == PREFIX:
            found.update(at for at, w in enumerate(read.words) if w.word.startswith(symbol[1:]))
        else:
            found.update(read.begins.get(symbol, ()))
    return found


@lru_cache(maxsize=1024)
def _trie(terms: tuple[str, ...]) -> _Trie:
    root: _Trie = {}
    for term in terms:
        try:
            choices = parse(term).choices
        except KeywordError:
            continue
        for sequence in (s for choice in choices for p in choice for s in p.sequences):
            if choices[0][0].field in ("category", "source"):
                continue
            node = root
            for symbol in sequence:
                node = node.setdefault(symbol, {})
            node[_END] = {}
    return root


def _longest(node: _Trie, read: _Text, at: int) -> int:
    """The index after the longest keyword that begins at this word, or 0."""
    if at >= len(read.words):
        return 0
    word = read.words[at].word
    prefixes = [(key, 1) for key in node if key[:1] == PREFIX and word.startswith(key[1:])]
    best = 0
    for symbol, width in (*read.symbols[at], *prefixes):
        found = node.get(symbol)
        if found is None:
            continue
        after = at + width
        if _END in found:
            best = max(best, after)
        if read.words[after - 1].stand != PARTED and len(found) > (_END in found):
            best = max(best, _longest(found, read, after))
    return best


def _symbols(words: Sequence[Place], at: int) -> tuple[tuple[str, int], ...]:
    """The symbols that begin at this word and how many words each takes, but for prefixes."""
    word = words[at].word
    symbols = [(STEM + stem(word), 1), (EXACT + word, 1)]
    if words[at].stand != PARTED and at + 1 < len(words):
        right = words[at + 1].word
        if words[at].stand == GLUED or may_join(word, right):
            symbols.append((STEM + stem(word + right), 2))
    return tuple(symbols)
