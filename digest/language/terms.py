"""A keyword as the matcher understands it, parsed from the words that the subscriber wrote.

Owns the language of keywords and every complaint about it. Words, never regular expressions.

    speculative decoding          the words in order, any ending, hyphen, space or neither
    "Flash Attention"             exact: as written, no other ending
    quantiz*                      every word that begins so
    diffusion + acceleration      both, anywhere in the listing
    LLM | large language model    one or the other, counted once
    title:survey                  one field: title, abstract, author, category, org, source
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise

from digest.errors import KeywordError
from digest.language.stems import stem
from digest.language.words import GLUED, fold, may_begin, may_end, split

FIELDS = ("title", "abstract", "author", "category", "org", "source")
LONGEST_TERM = 200
MOST_WORDS = 16
MOST_PARTS = 8
SHORTEST_PREFIX = 3
"""Letters before a `*`: two would match a sixth of the dictionary."""

STEM, EXACT, PREFIX = "~", "=", "^"
"""The first character of a symbol says how the rest of it is compared with a word."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in order in one field (or in title and abstract). `sequences` are its written forms."""

    words: tuple[str, ...]
    sequences: tuple[tuple[str, ...], ...]
    field: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A parsed keyword: any of `choices` will do, each the phrases that must all be there."""

    text: str
    choices: tuple[tuple[Phrase, ...], ...]

    @property
    def simple(self) -> Phrase | None:
        """The only phrase of a keyword that has one, as nearly all do."""
        return self.choices[0][0] if len(self.choices) == 1 == len(self.choices[0]) else None


def check_term(text: str) -> None:
    """Nothing, if the text can be a keyword.

    Raises: KeywordError with what is wrong and the nearest form that can be one.
    """
    parse(text)


def check_exclusion(text: str) -> None:
    """Nothing, if the text can stand under `exclude`: any keyword can.

    Raises: KeywordError with what is wrong and the nearest form that can be one.
    """
    parse(text)


@lru_cache(maxsize=200_000)
def parse(text: str) -> Term:
    """The keyword that a text stands for.

    Raises: KeywordError with what is wrong and the nearest form that can be one.
    """
    if len(text) > LONGEST_TERM:
        raise KeywordError(f"a keyword has at most {LONGEST_TERM} characters, this has {len(text)}")
    if not fold(text).strip():
        raise KeywordError("the keyword is empty")
    plain = _straighten(text)
    _check_quotes(plain)
    _check_operators(plain)
    choices = _part(plain, "|", text)
    return Term(text, tuple(_parse_choice(choice, text) for choice in choices))


def _straighten(text: str) -> str:
    """The text with one kind of quotation mark and of space."""
    return " ".join(re.sub("[“”„«»＂]", '"', text).split())


def _check_quotes(text: str) -> None:
    if text.count('"') % 2:
        bare = text.replace('"', "").strip()
        raise KeywordError(f"{text!r} has a quotation mark too few", f'"{bare}"')


_BOOLEAN = re.compile(r"(?<=\S) (AND|OR|NOT) (?=\S)")
_TIGHT_PLUS = re.compile(r"(?<=[^\W_]{2})\+(?=[^\W_]{2})|\)\+|\+\)|\*\+|^\+(?=\S)")


def _check_operators(text: str) -> None:
    outside = re.sub(r'"[^"]*"', lambda quoted: "x" * len(quoted[0]), text)
    if found := _BOOLEAN.search(outside):
        sign = {"AND": " + ", "OR": " | "}.get(found[1])
        if sign is None:
            raise KeywordError("a keyword has no NOT: give the other word a negative weight")
        raise KeywordError(f"{found[1]} is no operator here", _BOOLEAN.sub(sign, text))
    if _TIGHT_PLUS.search(outside):
        hint = " + ".join(words for part in text.split("+") if (words := _bare(part)))
        raise KeywordError(f"the + in {text!r} needs a space on both sides", hint)
    if outside.startswith("-"):
        raise KeywordError(
            "a keyword does not begin with -: give it a negative weight", _bare(text)
        )


def _bare(text: str) -> str:
    """The plain words of a text, as a hint can show them."""
    return re.sub(r'[^\w\s\-.:#+"]|(?<!\w)[+:]|^[-\s]+', "", text).strip()


def _part(text: str, sign: str, whole: str) -> list[str]:
    """The sides of an operator that stands free, outside of quotes."""
    sides = [""]
    for piece in re.split(r'("[^"]*"|\s+)', text):
        if piece == sign:
            sides.append("")
        else:
            sides[-1] += piece
    sides = [side.strip() for side in sides]
    if len(sides) > MOST_PARTS:
        raise KeywordError(f"{whole!r} joins more than {MOST_PARTS} keywords")
    if len(sides) > 1 and not all(split(fold(side))[0] for side in sides):
        hint = f" {sign} ".join(side for side in sides if split(fold(side))[0])
        raise KeywordError(f"the {sign} in {whole!r} has an empty side", hint)
    return sides


def _parse_choice(text: str, whole: str) -> tuple[Phrase, ...]:
    return tuple(_parse_phrase(part, whole) for part in _part(text, "+", whole))


_FIELD = re.compile(r"\s*([^\W\d_]+)\s?:(?=\s*(\S?))(\s*)")


def _parse_phrase(text: str, whole: str) -> Phrase:
    field, body = _parse_field(text)
    if field in ("category", "source"):
        return _parse_value(field, body, whole)
    if field == "author":
        check_author(body.strip('"'))
        return Phrase((fold(body.strip('"')).strip(),), (), field)
    _check_stars(body, whole)
    pieces = _parse_pieces(body)
    if not pieces:
        raise KeywordError(f"{whole!r} has no letter or digit")
    if len(pieces) > MOST_WORDS:
        raise KeywordError(f"{whole!r} has more than {MOST_WORDS} words")
    return Phrase(tuple(word for _, word, _ in pieces), _sequences(pieces), field)


def _parse_field(text: str) -> tuple[str, str]:
    found = _FIELD.match(text)
    if not found or found[1].lower() in ("http", "https"):
        return "", text
    name, rest = found[1].lower(), text[found.end() :]
    if name in FIELDS:
        if not rest.strip('" '):
            raise KeywordError(f"{text!r} names a field without a word", f"{name}:survey")
        return name, rest
    near = get_close_matches(name, (*FIELDS, "cat"), n=1, cutoff=0.6)
    if near:
        field = "category" if near[0] == "cat" else near[0]
        raise KeywordError(f"there is no field {found[1]!r}", f"{field}:{rest}")
    if found[3]:  # `Attention: all you need` is a title, not a field
        return "", text
    raise KeywordError(f"there is no field {found[1]!r} (fields: {', '.join(FIELDS)})", f'"{text}"')


def _parse_value(field: str, body: str, whole: str) -> Phrase:
    """A category or a source: compared as a whole, `cs.*` by its beginning."""
    value = " ".join(fold(body.strip('"')).replace("-", " ").split())
    kind = PREFIX if value.endswith("*") else EXACT
    value = value.rstrip("*")
    if not value.strip(". *") or "*" in value:
        raise KeywordError(
            f"{whole!r} names no {field}", f"{field}:cs.CL" if field[0] == "c" else ""
        )
    return Phrase((value,), ((kind + value,),), field)


_FIRST_WORD = re.compile(r"[^\W_](?:[\w./-]*[^\W_])?")
"""A word from its first letter or digit to its last."""


def _check_stars(body: str, whole: str) -> None:
    stars = body.count("*")
    if not stars:
        return
    stemless = body.rstrip().removesuffix("*")
    letters = "".join(split(fold(stemless))[0])
    if not letters:
        raise KeywordError(f"{whole!r} has no letter or digit before the *")
    if stars > 1 or not re.search(r"[^\W_]\*$", body.rstrip()) or '"' in body:
        first = _FIRST_WORD.findall(body)[0]
        raise KeywordError(
            "a * stands once, right after the beginning of the last word",
            f"{first}*" if len(first) >= SHORTEST_PREFIX else "",
        )
    if len(letters) < SHORTEST_PREFIX and letters.isascii():
        raise KeywordError(
            f"{whole!r} is too short a beginning: write {SHORTEST_PREFIX} letters or more"
        )


_Piece = tuple[str, str, int]
"""How a word is compared, the word, and how it stands to the next one."""


def _parse_pieces(body: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    for number, segment in enumerate(body.split('"')):
        kind = EXACT if number % 2 else STEM
        words, stands = split(fold(segment))
        pieces += [(kind, word, stand) for word, stand in zip(words, stands, strict=True)]
    if body.rstrip().endswith("*"):
        pieces[-1] = (PREFIX, pieces[-1][1], pieces[-1][2])
    return pieces


def symbol(kind: str, word: str) -> str:
    """What a word is looked up by: its stem, itself, or its beginning."""
    return kind + (stem(word) if kind == STEM else word)


def _sequences(pieces: list[_Piece]) -> tuple[tuple[str, ...], ...]:
    """The ways in which the words may stand in a text: as given, and with two of them joined."""
    given = tuple(symbol(kind, word) for kind, word, _ in pieces)
    forms = {given: None}
    for i in range(len(pieces) - 1):
        if joined := _join(pieces[i], pieces[i + 1]):
            forms[(*given[:i], joined, *given[i + 2 :])] = None
    words = [word for _, word, _ in pieces]
    if len(pieces) > 2 and all(_join(a, b) for a, b in pairwise(pieces)):
        forms[(symbol(pieces[-1][0], "".join(words)),)] = None
    return tuple(forms)


def _join(first: _Piece, second: _Piece) -> str:
    """The symbol of two words written as one, or nothing where nobody would write them so."""
    (kind, left, stand), (last, right, _) = first, second
    if kind != STEM or last == EXACT or not (stand == GLUED or may_join(left, right)):
        return ""
    return symbol(last, left + right)


def may_join(left: str, right: str) -> bool:
    """Whether two words with a space between them may also be written as one."""
    return may_begin(left) and may_end(right)


def check_author(text: str) -> None:
    """Nothing, if the text names one person, by family name and a given name or an initial.

    Raises: KeywordError, with the form that is meant as its hint.
    """
    if len(text) > LONGEST_TERM:
        raise KeywordError(f"a name has at most {LONGEST_TERM} characters, this has {len(text)}")
    words, _ = split(fold(text))
    if not words:
        raise KeywordError("the author's name is empty")
    if len(words) == 1 and words[0].isascii():
        shown = text.strip(' ,."')
        raise KeywordError(f"{shown!r} alone would match every namesake", f"A. {shown}")
