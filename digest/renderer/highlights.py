"""A text encoded once for everyone, into which each reader's highlights are set.

Owns where in the encoded bytes a letter stands. Whose terms stand where in a text is found once for
each term; the highlights of a mail are then slices of what is there.
"""

from __future__ import annotations

from array import array
from binascii import a2b_qp
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup, escape

from digest.language import find_all
from digest.markup import Prose
from digest.renderer.wire import SOFT, quoted

_ROOM = 75  # octets of a line before its soft break. Source: RFC 2045 6.7 (5)
_MOST_FOUND = 64  # terms remembered for a text: 40 kB when all of them stand in it
_CLOSE = b"</b>" + SOFT
_ESCAPED = {letter: str(escape(letter)) for letter in "&<>\"'"}
# Letter for letter, so that places stay: plain ASCII is found in several times as fast.
_ASCII = str.maketrans("\u00a0\u2011\u2018\u2019\u201c\u201d\u2013\u2014\u2026", " -''\"\"-, ")

_Span = tuple[int, int, tuple[tuple[int, bytes, int], ...]]
"""Letters of the text: the first, minus the one after the last (so that the longest sorts first).
Then for each run of octets that they are: where it begins, what takes its place, and where the rest
goes on."""


class Highlighted:
    """A prose as a piece of a quoted-printable part; `hit` opens a highlight, `</b>` ends it."""

    __slots__ = ("_ends", "_found", "_hit", "_octets", "_parts", "_starts", "_text")

    def __init__(self, prose: Prose, hit: str) -> None:
        self._text = prose.text.translate(_ASCII)
        self._hit = quoted(hit)
        self._starts, self._ends = array("I"), array("I")
        self._octets = b"".join(self._laid_out(prose))
        lengths = [len(piece) for is_tag, piece in prose.pieces if not is_tag]
        self._parts = [sum(lengths[:place]) for place in range(len(lengths) + 1)]
        self._found: dict[str, tuple[_Span, ...]] = {}

    def marked(self, terms: Sequence[str]) -> bytes:
        """The prose with these terms highlighted; where two begin alike, the longer one."""
        found: list[_Span] = []
        for term in terms:
            spans = self._found.get(term)
            if spans is None:
                spans = self._find(term)
            if spans:
                found += spans
        if not found:
            return self._octets
        found.sort()
        pieces: list[bytes] = []
        at = free = 0
        for start, end, runs in found:
            if start >= free:
                free = -end
                for first, shown, rest in runs:
                    pieces += (self._octets[at:first], shown)
                    at = rest
        pieces.append(self._octets[at:])
        return b"".join(pieces)

    def html(self, terms: Sequence[str]) -> Markup:
        """The same as HTML."""
        made = a2b_qp(self.marked(terms)).decode("utf-8").replace("\r\n", "\n")
        return Markup(made)  # noqa: S704 - tags are nh3's and ours, all else is escaped

    def _find(self, term: str) -> tuple[_Span, ...]:
        """Everywhere that the term stands."""
        if len(self._found) >= _MOST_FOUND:
            self._found.clear()
        spans = self._found[term] = tuple(
            (start, -end, tuple(self._runs(start, end)))
            for start, end in (find_all(term, self._text) if self._text else ())
        )
        return spans

    def _runs(self, start: int, end: int) -> Iterator[tuple[int, bytes, int]]:
        """The octets of these letters, highlighted, parted where a tag stands between them."""
        for begin, stop in pairwise(self._parts):
            first, last = max(start, begin), min(end, stop)
            if first < last:
                at, after = self._starts[first], self._ends[last - 1]
                soft = SOFT if at and self._octets[at - 1] != ord("\n") else b""
                shown = soft + self._hit + self._octets[at:after] + SOFT + _CLOSE
                yield at, shown, after + len(SOFT) * self._octets.startswith(SOFT, after)

    def _laid_out(self, prose: Prose) -> Iterator[bytes]:
        """The octets in lines, the place of each letter noted down."""
        at = column = 0
        tokens = [*_tokens(prose)]
        for (is_letter, octets), (_, following) in pairwise([*tokens, (False, b"")]):
            shown = _guarded(octets, following, column)
            if column + len(shown) > _ROOM and shown != b"\r\n":
                yield SOFT
                at, column = at + len(SOFT), 0
            if is_letter:
                self._starts.append(at)
                self._ends.append(at + len(shown))
            yield shown
            at += len(shown)
            column = 0 if shown == b"\r\n" else column + len(shown)
        if column:
            yield SOFT


def _guarded(octets: bytes, following: bytes, column: int) -> bytes:
    """A blank that would be lost at its line's end, or a dot that could stand alone, encoded."""
    if octets == b" " and following == b"\r\n":
        return b"=20"
    if octets == b"." and (not column or following == b"\r\n"):
        return b"=2E"
    return octets


def _tokens(prose: Prose) -> Iterator[tuple[bool, bytes]]:
    """What no line end may part: (True, a letter of the text) and (False, one of a tag)."""
    for is_tag, piece in prose.pieces:
        for letter in piece:
            yield not is_tag, _quoted(letter if is_tag else _ESCAPED.get(letter, letter))


@lru_cache(maxsize=4_096)  # most letters of a day's listings
def _quoted(text: str) -> bytes:
    """What stands for a letter, escaped before if it needs to be, in quoted-printable."""
    if text == "\n":
        return b"\r\n"
    return b"".join(
        bytes([octet]) if 32 <= octet < 127 and octet != ord("=") else b"=%02X" % octet
        for octet in text.encode("utf-8")
    )
