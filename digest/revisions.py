"""What has changed between two settings of one subscriber, a sentence each.

Pure. The sentences are kept with each change, so that a person can see what was done to their
profile, and by what.
"""

from __future__ import annotations

from collections.abc import Iterator

from digest.model import Profile, Subscriber

MOST_SAID = 40
"""Sentences of one change; an upload may change all of it."""

_LISTS = (
    ("authors", "What {} writes comes whatever its score.", "{} is no longer followed."),
    (
        "organizations",
        "What comes from {} is shown whatever its score.",
        "{} is no longer followed.",
    ),
    ("exclude", "Nothing with “{}” is shown any more.", "“{}” may be shown again."),
)

_VALUES = (
    ("min_score", "The floor"),
    ("max_items", "The most a mail"),
    ("per_day", "About so many a day"),
    ("trending", "The most voted"),
    ("when_empty", "What comes on an empty day"),
    ("abstracts", "How much of abstracts is shown"),
)

_SWITCHES = (
    ("related", "Words that stand with the keywords count a little", "no longer count"),
    ("learn", "What you say of papers counts at once", "is only kept"),
)


def told(before: Subscriber, after: Subscriber) -> tuple[str, ...]:
    """What is other in the second, keywords first; empty where nothing is."""
    was, now = before.profile, after.profile
    found = [*_keywords(was, now), *_lists(was, now), *_settings(was, now), *_times(before, after)]
    if len(found) > MOST_SAID:
        return (*found[: MOST_SAID - 1], f"And {len(found) - MOST_SAID + 1} more changes.")
    return tuple(found)


def _keywords(was: Profile, now: Profile) -> Iterator[str]:
    had = {keyword.term: keyword.weight for keyword in was.keywords}
    has = {keyword.term: keyword.weight for keyword in now.keywords}
    for term, weight in has.items():
        if term not in had:
            how = "is added" if weight > 0 else "pushes down from now on"
            yield f"“{term}” {how}, with weight {weight:g}."
        elif weight != had[term]:
            yield f"“{term}” counts {weight:g} instead of {had[term]:g}."
    for term, weight in had.items():
        if term not in has:
            yield f"“{term}” is taken out (it had weight {weight:g})."


def _lists(was: Profile, now: Profile) -> Iterator[str]:
    for name, comes, goes in _LISTS:
        had, has = getattr(was, name), getattr(now, name)
        yield from (comes.format(one) for one in has if one not in had)
        yield from (goes.format(one) for one in had if one not in has)


def _settings(was: Profile, now: Profile) -> Iterator[str]:
    for name, label in _VALUES:
        had, has = getattr(was, name), getattr(now, name)
        if had != has:
            yield f"{label}: {_shown(has)} instead of {_shown(had)}."
    for name, label, otherwise in _SWITCHES:
        if getattr(was, name) != getattr(now, name):
            said = "from now on" if getattr(now, name) else otherwise
            yield f"{label}: {said}."


def _times(before: Subscriber, after: Subscriber) -> Iterator[str]:
    if (before.send_at, before.timezone) != (after.send_at, after.timezone):
        was, now = (f"{one.send_at:%H:%M} {one.timezone}" for one in (before, after))
        yield f"Mail comes at {now} instead of {was}."
    if before.days != after.days:
        yield f"Mail comes on {_days(after)} instead of {_days(before)}."
    if before.name != after.name:
        yield "The name is another."


def _days(one: Subscriber) -> str:
    return "every day" if len(one.days) == 7 else ", ".join(day.capitalize() for day in one.days)


def _shown(value: object) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
