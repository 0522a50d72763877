"""Where keywords stand in a text that is about to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from digest.errors import KeywordError
from digest.matcher.terms import EXACT, PREFIX, STEM, may_join, parse
from digest.matcher.words import GLUED, PARTED, Place, places, stem

_Trie = dict[str, "_Trie"]
_END = ""


def find_spans(terms: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Character ranges of `text` where any of these keywords stands, in order, none overlapping.

    The longest range wins where two begin alike. Terms that are no keywords are passed over.
    """
    trie = _trie(tuple(sorted(set(terms))))
    words = places(text)
    spans: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        end = _longest(trie, words, at)
        if end > at:
            spans.append((words[at].start, words[end - 1].end))
        at = max(end, at + 1)
    return spans


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


def _longest(node: _Trie, words: list[Place], at: int) -> int:
    """The index after the longest keyword that begins at this word, or 0."""
    if at >= len(words):
        return 0
    best = 0
    for symbol, width in _symbols(node, words, at):
        found = node.get(symbol)
        if found is None:
            continue
        after = at + width
        if _END in found:
            best = max(best, after)
        if words[after - 1].stand != PARTED and len(found) > (_END in found):
            best = max(best, _longest(found, words, after))
    return best


def _symbols(node: _Trie, words: list[Place], at: int) -> list[tuple[str, int]]:
    """The symbols that begin at this word and how many words each takes."""
    word = words[at].word
    symbols = [(STEM + stem(word), 1), (EXACT + word, 1)]
    symbols += [(key, 1) for key in node if key[:1] == PREFIX and word.startswith(key[1:])]
    if words[at].stand != PARTED and at + 1 < len(words):
        right = words[at + 1].word
        if words[at].stand == GLUED or may_join(word, right):
            symbols.append((STEM + stem(word + right), 2))
    return symbols
