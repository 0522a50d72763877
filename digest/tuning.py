"""One press of a button as a change of a profile: more, less, mute, never, follow.

Pure: a profile and a listing, a term or an author come in, the changed profile comes out with the
words that say what would change. Nothing is kept here; who calls asks first and writes then.

    mute            a keyword for is taken out; any other term gets the weight -1. Listings that
                    have it can still come for something else.
    never_show      the term goes among the exclusions: nothing that has it comes any more.
    follow          the author's papers come whatever their score, or an organization's.
    more_like_this  the terms that one listing suggests, at most three, are added or raised.
    less_like_this  likewise pushed down or lowered.
    accept          proposals become keywords, as they are.

A change that would change nothing, or has no room in the profile, leaves it as it is and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.language import (
    check_author,
    check_exclusion,
    check_organization,
    check_term,
    labs_named,
)
from digest.language.names import read_name, same_person
from digest.matcher import Proposal, Statistics
from digest.matcher.proposals import stem_key
from digest.matcher.single import suggest
from digest.model import Keyword, Listing, Profile

MUTED = -1.0
"""The weight of a muted term that was no keyword: as strong against as an ordinary one is for."""

FROM_ONE = 3
"""Terms that one listing may change: more would be the listing, not the taste."""

MOST_TERMS = 500
"""Keywords of a profile, and likewise exclusions and authors, as the config has it."""


@dataclass(frozen=True, slots=True)
class Change:
    """A profile as it would be, and what would change, a sentence each.

    Where nothing changes `profile` is the one that came in, and `says` why.
    """

    profile: Profile
    says: tuple[str, ...]
    changes: bool = True


def mute(profile: Profile, term: str) -> Change:
    """The profile in which a term no longer counts for anything; see the module.

    Raises: KeywordError where the term can be no keyword.
    """
    check_term(term)
    known = _keyword(profile, term)
    if _same(term, profile.exclude):
        return _as_it_is(profile, f"“{term}” is never shown already.")
    if known and known.weight < 0:
        return _as_it_is(profile, f"“{known.term}” counts against already ({known.weight:g}).")
    if known:
        left = tuple(keyword for keyword in profile.keywords if keyword is not known)
        changed = replace(profile, keywords=left)
        return Change(changed, (f"“{known.term}” is taken out (it had weight {known.weight:g}).",))
    return _weighted(profile, [Keyword(term, MUTED)])


def never_show(profile: Profile, term: str) -> Change:
    """The profile that excludes a term; a keyword of that name goes.

    Raises: KeywordError where the term can be no exclusion.
    """
    check_exclusion(term)
    if _same(term, profile.exclude):
        return _as_it_is(profile, f"“{term}” is never shown already.")
    if len(profile.exclude) >= MOST_TERMS:
        return _full(profile, "exclusions")
    known = _keyword(profile, term)
    left = tuple(keyword for keyword in profile.keywords if keyword is not known)
    says = [f"Nothing with “{term}” is shown any more."]
    says += [f"“{known.term}” is taken out (it had weight {known.weight:g})."] if known else []
    changed = replace(profile, keywords=left, exclude=(*profile.exclude, term))
    return Change(changed, tuple(says))


def follow(profile: Profile, author: str) -> Change:
    """The profile that follows an author; one who is followed under another spelling stays.

    Raises: KeywordError where the name could be many people.
    """
    check_author(author)
    name = read_name(author)
    for followed in profile.authors:
        if same_person(read_name(followed), name):
            return _as_it_is(profile, f"{followed} is followed already.")
    if len(profile.authors) >= MOST_TERMS:
        return _full(profile, "authors")
    changed = replace(profile, authors=(*profile.authors, author))
    return Change(changed, (f"What {author} writes comes whatever its score.",))


def unfollow(profile: Profile, author: str) -> Change:
    """The profile that no longer follows an author, by the name as it stands there."""
    left = tuple(name for name in profile.authors if name != author)
    if len(left) == len(profile.authors):
        return _as_it_is(profile, f"{author} is not followed.")
    return Change(replace(profile, authors=left), (f"{author} is no longer followed.",))


def follow_organization(profile: Profile, organization: str) -> Change:
    """The profile that follows an organization, by its whole name.

    Raises: KeywordError where it is no name.
    """
    check_organization(organization)
    if known := labs_named(profile.organizations, organization):
        return _as_it_is(profile, f"{known[0]} is followed already.")
    if len(profile.organizations) >= MOST_TERMS:
        return _full(profile, "labs")
    changed = replace(profile, organizations=(*profile.organizations, organization))
    return Change(changed, (f"What comes from {organization} is shown whatever its score.",))


def more_like_this(profile: Profile, listing: Listing, statistics: Statistics) -> Change:
    """The profile with the terms that a listing suggests, added or raised."""
    return _from_one(profile, suggest(profile, listing, statistics, more=True))


def less_like_this(profile: Profile, listing: Listing, statistics: Statistics) -> Change:
    """The profile with the terms that a listing suggests, pushed down or lowered."""
    return _from_one(profile, suggest(profile, listing, statistics, more=False))


def accept(profile: Profile, proposals: Sequence[Proposal]) -> Change:
    """The profile with these proposals as keywords."""
    return _weighted(profile, [Keyword(each.term, each.weight) for each in proposals])


def weigh(profile: Profile, keyword: Keyword) -> Change:
    """The profile in which a keyword has this weight.

    Raises: KeywordError where the term can be no keyword.
    """
    check_term(keyword.term)
    return _weighted(profile, [keyword])


# --- the parts of a change --------------------------------------------------------------------


def _from_one(profile: Profile, proposals: Sequence[Proposal]) -> Change:
    if not proposals:
        return _as_it_is(profile, "Nothing in it stands apart from what is usual.")
    return accept(profile, proposals[:FROM_ONE])


def _weighted(profile: Profile, wanted: Sequence[Keyword]) -> Change:
    """The profile with these keywords, in the place of those of the same words."""
    keywords, says = list(profile.keywords), []
    for each in wanted:
        known = _keyword(profile, each.term)
        if known and known.weight != each.weight:
            keywords[keywords.index(known)] = replace(known, weight=each.weight)
            says.append(f"“{known.term}” counts {each.weight:g} instead of {known.weight:g}.")
        elif not known and len(keywords) < MOST_TERMS:
            keywords.append(each)
            how = "is added" if each.weight > 0 else "pushes down from now on"
            says.append(f"“{each.term}” {how}, with weight {each.weight:g}.")
    if says:
        return Change(replace(profile, keywords=tuple(keywords)), tuple(says))
    if len(keywords) >= MOST_TERMS:
        return _full(profile, "keywords")
    return _as_it_is(profile, "The profile says so already.")


def _keyword(profile: Profile, term: str) -> Keyword | None:
    """The keyword that is written as the term is, else one of the same words."""
    exact = (keyword for keyword in profile.keywords if keyword.term == term)
    alike = (keyword for keyword in profile.keywords if _same(term, (keyword.term,)))
    return next(exact, None) or next(alike, None)


def _same(term: str, others: Sequence[str]) -> bool:
    """Whether one of the others is the term, or the same words in plain spelling."""
    plain = _plain(term)
    return any(term == other or (plain and plain == _plain(other)) for other in others)


def _plain(term: str) -> tuple[str, ...]:
    """What spellings of plain words have in common; nothing for a term with an operator."""
    return () if set(term) & set('":*+|') else stem_key(term)


def _as_it_is(profile: Profile, why: str) -> Change:
    return Change(profile, (why,), changes=False)


def _full(profile: Profile, what: str) -> Change:
    return _as_it_is(profile, f"The profile has {MOST_TERMS} {what}, and no room for more.")
