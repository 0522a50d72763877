"""What a keyword finds, in a sentence, for the form that asks while someone types.

Owns no rule: the matcher's own parser reads the keyword, so that the sentence and the mail agree.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from digest.errors import KeywordError
from digest.forecast import fitting
from digest.language.terms import PREFIX, STEM, Phrase, Term, parse
from digest.web.paging import value_of
from digest.web.rehearsing import if_free
from digest.web.site import Visit

LONGEST_SHOWN = 60  # characters of one phrase

_WHERE = {"title": " in the title", "abstract": " in the abstract", "org": " as the organization"}


def tell(visit: Visit) -> Response:
    """What `?term=` finds and how often it did so lately; 422 with what is wrong about it."""
    text = value_of(visit, "term").strip()
    try:
        term = parse(text)
    except KeywordError as error:
        wrong = str(error)
        return PlainTextResponse(wrong[:1].upper() + wrong[1:] + "." * (wrong[-1] != "?"), 422)
    lately = if_free(visit, lambda: _lately(visit, term))
    return PlainTextResponse(f"Finds {in_words(term)}.{lately or ''}")


def _lately(visit: Visit, term: Term) -> str:
    """In how many listings of the last 30 days; empty while there are none."""
    month = visit.app.month(visit.now)
    listings = len(month.listings)
    if not listings:
        return ""
    found = fitting(visit.app.matcher(visit.now), term.text, month)
    part = "" if not found or _is_a_word(term) else ", at least in part"
    count = f"{found:,}" if found else "none"
    return f" It fits {count} of the {listings:,} listings of the last 30 days{part}."


def _is_a_word(term: Term) -> bool:
    return bool(term.simple and len(term.simple.words) == 1)


def in_words(term: Term) -> str:
    """What a keyword finds, for people."""
    loose = any(STEM in _kinds(phrase) for choice in term.choices for phrase in choice)
    found = ", or ".join(_all_of(choice) for choice in term.choices)
    return found + (", with any ending" if loose else "")


def _all_of(choice: tuple[Phrase, ...]) -> str:
    """What must all be there."""
    return " and ".join(map(_one, choice)) + (", anywhere in a listing" if len(choice) > 1 else "")


def _one(phrase: Phrase) -> str:
    words, kinds = " ".join(phrase.words), _kinds(phrase)
    shown = f"“{words if len(words) <= LONGEST_SHOWN else words[:LONGEST_SHOWN] + '…'}”"
    where = _WHERE.get(phrase.field, "")
    match phrase.field:
        case "author":
            return f"the author {shown}"
        case "category" | "source" as field:
            named = f"every {field} that begins with" if PREFIX in kinds else f"the {field}"
            return f"{named} {shown}"
    if PREFIX in kinds:
        return f"what begins with {shown}{where}"
    if STEM not in kinds:
        return f"exactly {shown}{where}"
    return f"{shown}{' in this order' * (len(phrase.words) > 1)}{where}"


def _kinds(phrase: Phrase) -> set[str]:
    """How its words are compared, as they were written."""
    return {symbol[0] for symbol in (phrase.sequences or ((),))[0]}
