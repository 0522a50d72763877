"""What a search asks for, parsed from the words that a visitor wrote.

Pure. Owns the language of searches, every complaint about it, and which keywords say the same.

    flash attention          both words, anywhere in the listing, whatever their endings
    "flash attention"        the words in this order
    quantiz*                 every word that begins so
    title:survey             one field: title, abstract, author, category, org, source
    LLM | language           one or the other
    -medical                 not with that word
    arXiv:2606.00467         that paper, also by its DOI or address
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product

from digest.errors import DigestError, KeywordError
from digest.language import check_term
from digest.language.terms import FIELDS, SHORTEST_PREFIX
from digest.model import Keyword
from digest.sources.ids import strong_ids

LONGEST = 200
MOST = 16
"""Characters of a search, and words or phrases in it."""

IN_ORDER, TOGETHER = 3.0, 1.0
"""Weights of the keywords that a search of plain words becomes."""

_PIECE = re.compile(r'(-?)(?:([^\W\d_]+):)?("[^"]*"|[^\s"]+|(?=\s|$))')
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ue000-\uf8ff]")
_QUOTES = re.compile("[“”„«»＂]")
_AROUND = "()[]{},;!?"
_WORD = re.compile(r"[^\W_]")
_OR, _AND = frozenset({"|", "OR"}), frozenset({"+", "&", "AND"})


class QueryError(DigestError):
    """A search cannot be understood; `hint` is the nearest one that can, or empty."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Sought:
    """Words in order, in one field or in any; the last one whole, or a beginning (`is_prefix`).

    `field` is one of the matcher's fields, `id` for an identity such as `arxiv:2606.00467`.
    """

    words: str
    field: str = ""
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search: one of each group of `wanted`, and nothing of `unwanted`."""

    text: str
    wanted: tuple[tuple[Sought, ...], ...]
    unwanted: tuple[Sought, ...] = ()

    @property
    def keywords(self) -> tuple[Keyword, ...]:
        """The profile that asks for the same, as far as keywords can say it."""
        groups = [[term for one in group if (term := _term(one))] for group in self.wanted]
        choices = product(*filter(None, groups))
        together = " | ".join(" + ".join(choice) for choice in choices)
        made = [Keyword(together, TOGETHER)] if _is_term(together) else _apart(groups)
        if _is_term(phrase := _in_order(self.wanted)):
            return (Keyword(phrase, IN_ORDER), *made)
        return tuple(made)

    @property
    def exclude(self) -> tuple[str, ...]:
        """What such a profile never shows."""
        return tuple(term for one in self.unwanted if _is_term(term := _term(one)))


def parse_query(text: str) -> Query:
    """The search that a text stands for.

    Raises: QueryError with what is wrong and the nearest search that can be made.
    """
    plain = " ".join(_NO_TEXT.sub(" ", _QUOTES.sub('"', text)).split())
    if len(plain) > LONGEST:
        raise QueryError(f"A search has at most {LONGEST} characters, this has {len(plain):,}.")
    if plain.count('"') % 2:
        bare = " ".join(plain.replace('"', " ").split())
        raise QueryError("There is a quotation mark too few.", f'"{bare}"' if bare else "")
    wanted: list[list[Sought]] = []
    unwanted: list[Sought] = []
    for is_not, is_or, one in _sought(plain):
        if is_not:
            unwanted.append(one)
        elif is_or and wanted:
            wanted[-1].append(one)
        else:
            wanted.append([one])
    _check(plain, wanted, unwanted)
    return Query(plain, tuple(map(tuple, wanted)), tuple(unwanted))


def _sought(plain: str) -> Iterator[tuple[bool, bool, Sought]]:
    """What stands in a search: (is it not wanted, or instead of the one before, what)."""
    is_not = is_or = False
    for piece in _PIECE.finditer(plain):
        if piece[0] in _OR or piece[0] in _AND or piece[0] == "NOT":
            is_or, is_not = piece[0] in _OR, piece[0] == "NOT"
        elif one := _one(piece, plain):
            yield is_not or bool(piece[1]), is_or, one
            is_not = is_or = False


def _one(piece: re.Match[str], plain: str) -> Sought | None:
    """One word, phrase or identity; None for signs alone."""
    _, name, body = piece.groups()
    bare = body.strip('"') if body.startswith('"') else body.strip(_AROUND)
    whole = f"{name}:{bare}" if name else bare
    if ids := strong_ids(whole):
        return Sought(ids[0], "id")
    if not name:
        return _words(bare, "", plain, is_quoted=bare != body)
    field = name.lower()
    if not body and _nearest(field) == "":
        return Sought(name)  # `Attention: all you need` is a title, not a field
    if field not in FIELDS:
        raise QueryError(*_no_field(name, whole, plain))
    if not _WORD.search(bare):
        raise QueryError(f"“{field}:” needs a word right after it.", f"{field}:survey")
    return _words(bare, field, plain, is_quoted=bare != body)


def _words(bare: str, field: str, plain: str, *, is_quoted: bool) -> Sought | None:
    letters = "".join(_WORD.findall(bare))
    if not letters:
        return None
    if is_quoted or "*" not in bare:
        return Sought(bare, field)
    beginning = bare.rstrip("*")
    if "*" in beginning or not _WORD.match(beginning[-1]):
        if field == "category" and beginning.endswith("."):
            return Sought(beginning, field, is_prefix=True)
        hint = plain.replace(bare, beginning.replace("*", "").rstrip("-./") + "*")
        raise QueryError("A * stands once, right after the beginning of a word.", hint)
    if len(letters) < SHORTEST_PREFIX and letters.isascii():
        raise QueryError(f"“{bare}” is too short a beginning: {SHORTEST_PREFIX} letters or more.")
    return Sought(beginning, field, is_prefix=True)


def _no_field(name: str, whole: str, plain: str) -> tuple[str, str]:
    """What to say of a field that there is none of, and a search that can be made instead."""
    if field := _nearest(name.lower()):
        return f"There is no field “{name}”.", plain.replace(f"{name}:", f"{field}:")
    shown = ", ".join(f"{field}:" for field in FIELDS)
    return f"There is no field “{name}”. The fields are {shown}.", plain.replace(
        f'{name}:"', f'"{name} '
    ).replace(whole, f'"{whole}"')


def _nearest(name: str) -> str:
    """The field that a name is, or is nearly; empty where it is like none."""
    near = get_close_matches(name, (*FIELDS, "cat"), n=1, cutoff=0.6)
    return "category" if near == ["cat"] else "".join(near)


def _check(plain: str, wanted: Sequence[Sequence[Sought]], unwanted: Sequence[Sought]) -> None:
    """Raises: QueryError where there is nothing to look for, or too much."""
    if sum(map(len, wanted)) + len(unwanted) > MOST:
        raise QueryError(f"A search has at most {MOST} words.")
    if not wanted and unwanted:
        raise QueryError("Say what to look for as well, not only what to leave out.")
    if not wanted and plain:
        raise QueryError("There is no letter or digit to look for.")


def _term(one: Sought) -> str:
    """What was sought as a keyword; empty where no keyword says it."""
    if one.field == "id":
        return ""
    words = " ".join(re.sub(r"[+|:*]", " ", one.words).split())
    return (f"{one.field}:" if one.field else "") + words + ("*" if one.is_prefix else "")


def _is_term(text: str) -> bool:
    try:
        check_term(text)
    except KeywordError:
        return False
    return True


def _apart(groups: Sequence[Sequence[str]]) -> list[Keyword]:
    """A keyword each for what cannot be one together."""
    terms = dict.fromkeys(term for group in groups for term in group if _is_term(term))
    return [Keyword(term, TOGETHER) for term in terms]


def _in_order(wanted: Sequence[Sequence[Sought]]) -> str:
    """Plain words as the phrase that they may be; empty where there is one, or other things."""
    plain = [g[0] for g in wanted if len(g) == 1 and not (g[0].field or g[0].is_prefix)]
    if not 2 <= len(plain) == len(wanted) <= 4 or any(" " in one.words for one in plain):
        return ""
    return " ".join(map(_term, plain))
