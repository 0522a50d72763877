"""What a page offers to change for one listing, and the change that was chosen.

Pure. A choice is an action and its words, as `mute flash attention`; what it would do is said
before it is done. Every verb of `digest.tuning` that a mail links to is here.

    more, less  the terms that the listing suggests; the first three are chosen beforehand.
    mute        the terms that brought it, each to count no more, or never to be shown.
    follow      its authors and its organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import tomli_w

from digest import tuning
from digest.config.writing import subscriber_table
from digest.errors import KeywordError
from digest.matcher import Statistics
from digest.matcher.single import suggest
from digest.model import Keyword, Listing, Profile, Reason, Subscriber
from digest.tuning import FROM_ONE, Change

VERBS = {
    "more": "More like this",
    "less": "Less like this",
    "mute": "Mute a term",
    "follow": "Follow an author",
}
"""What a mail's links ask for, and what they are called there."""

MOST_AUTHORS = 40
"""Of one listing; the lists of large collaborations are longer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen: as it is sent back, in words, why, and whether it is ticked.

    `changes` is false where the profile is so already; then nothing is to be chosen.
    """

    value: str
    says: str
    evidence: str = ""
    chosen: bool = False
    changes: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """A listing as a digest showed it, with the reasons that it gave."""

    listing: Listing
    reasons: Sequence[Reason] = ()


def offered(verb: str, profile: Profile, shown: Shown, statistics: Statistics) -> list[Choice]:
    """What can be chosen for a listing by a verb of `VERBS`; empty where there is nothing."""
    match verb:
        case "more" | "less":
            found = suggest(profile, shown.listing, statistics, more=verb == "more")
            return [
                _choice(
                    profile,
                    f"weigh {each.weight:g} {each.term}",
                    f"It stands in this paper, and in {each.usual:.1%} of all.",
                    chosen=number < FROM_ONE,
                )
                for number, each in enumerate(found)
            ]
        case "mute":
            return [choice for term in _terms(shown) for choice in about_term(profile, term)]
    return list(_to_follow(profile, shown.listing))


def about_term(profile: Profile, term: str) -> list[Choice]:
    """What can be done about a term; empty where it can be no keyword."""
    made = []
    for action in ("mute", "never"):
        try:
            made.append(_choice(profile, f"{action} {term}"))
        except KeywordError:
            continue
    return made


def change(profile: Profile, values: Iterable[str]) -> Change:
    """The change that these choices make together; `says` tells each.

    Raises: KeywordError, ValueError for what is no choice.
    """
    changed, says, changes = profile, list[str](), False
    for value in values:
        one = _one(changed, value)
        changed, changes = one.profile, changes or one.changes
        says += one.says
    return Change(changed, tuple(says), changes)


def toml_lines(one: Subscriber, wanted: Profile) -> str:
    """What is to stand in the config file, as TOML: the keys that change, the keywords that do."""
    was = subscriber_table(one)
    now = subscriber_table(Subscriber(one.email, wanted))
    keys = {
        k: now.get(k, [])
        for k in ("authors", "organizations", "exclude")
        if was.get(k, []) != now.get(k, [])
    }
    had, has = was.get("keywords", {}), now.get("keywords", {})
    words = {term: weight for term, weight in has.items() if had.get(term) != weight}
    gone = "".join(f"# take out: {tomli_w.dumps({t: had[t]})}" for t in had if t not in has)
    lines = tomli_w.dumps(keys)
    if words or gone:
        lines += ("\n" if lines else "") + f"[subscribers.keywords]\n{tomli_w.dumps(words)}{gone}"
    return lines


def _choice(profile: Profile, value: str, evidence: str = "", *, chosen: bool = False) -> Choice:
    made = _one(profile, value)
    return Choice(value, " ".join(made.says), evidence, chosen and made.changes, made.changes)


def _one(profile: Profile, value: str) -> Change:
    action, _, what = value.partition(" ")
    match action:
        case "weigh":
            weight, _, term = what.partition(" ")
            return tuning.weigh(profile, Keyword(term, float(weight)))
        case "mute":
            return tuning.mute(profile, what)
        case "never":
            return tuning.never_show(profile, what)
        case "author":
            return tuning.follow(profile, what)
        case "organization":
            return tuning.follow_organization(profile, what)
    raise ValueError(action)


def _terms(shown: Shown) -> list[str]:
    """The terms that spoke for a listing, those that said most first."""
    spoke = [each for each in shown.reasons if each.points > 0 and each.field != "meaning"]
    return list(dict.fromkeys(each.term for each in spoke))


def _to_follow(profile: Profile, listing: Listing) -> Iterator[Choice]:
    wanted = [f"author {name}" for name in listing.authors[:MOST_AUTHORS]]
    wanted += [f"organization {listing.organization}"] if listing.organization else []
    for value in dict.fromkeys(wanted):
        try:
            yield _choice(profile, value)
        except KeywordError:  # a family name alone, or no name at all
            continue
