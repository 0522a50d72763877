"""The command that explains a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from digest.cli.naming import named_listings, unknown_listing
from digest.cli.options import clock, config_option, json_option, opened, person
from digest.cli.saying import pointed, print_json, print_table, say
from digest.errors import DigestError
from digest.learning import likes_of
from digest.matcher import Explanation
from digest.model import Reason
from digest.offers import follows
from digest.tex import readable

LISTINGS = 3
"""How many listings one text may name before it is too vague to explain them all."""


@click.command()
@config_option
@json_option
@click.argument("email")
@click.argument("listing")
def explain(config_path: Path, email: str, listing: str, as_json: bool) -> None:
    """Show why LISTING scores as it does for EMAIL.

    LISTING is a key, an arXiv id, a DOI, a web address, a title or part of one.
    """
    with opened(config_path) as app:
        subscriber = person(app, email)
        found = named_listings(app, listing, LISTINGS + 1)
        if not found:
            raise DigestError(unknown_listing(app, listing))
        now, (likes,) = clock(), likes_of(app.store, [subscriber])
        matcher, (wanted,) = app.matcher(now), app.fitted([subscriber.profile], now, [likes])
        explained = [
            (matcher.explain(wanted, one, likes), follows(matcher, wanted, one))
            for one in found[:LISTINGS]
        ]
    if as_json:
        print_json([_as_json(one, followed) for one, followed in explained])
        return
    for one, followed in explained:
        _print(one, followed)
    if len(found) > LISTINGS:
        say()
        say(f"more listings have {listing!r} in their title; name one more closely", err=True)


def _as_json(one: Explanation, followed: Sequence[Reason]) -> dict[str, object]:
    told = asdict(one)
    told["match"]["reasons"] = [asdict(reason) for reason in one.match.reasons]
    return {**told, "followed": [reason.term for reason in followed]}


def _print(one: Explanation, followed: Sequence[Reason]) -> None:
    """The score, what counted, what did not, who is followed, and what the floor asks for."""
    listing, score = one.match.listing, one.match.score
    say()
    say(readable(listing.title))
    say(f"{listing.key} · {listing.source}")
    if one.excluded_by:
        say(f"excluded by {one.excluded_by!r}: never shown, whatever its score")
        return
    say(f"score {score:.2f}, {verdict(score, one.floor)} the floor of {one.floor:.2f}")
    if followed:
        names = ", ".join(reason.term for reason in followed)
        say(f"shown whatever its score: {names} is followed")
    if one.match.reasons:
        print_table(
            ("points", "term", "where", "times"),
            [
                (pointed(r.points), _term(r), r.field, str(r.count or "–"))
                for r in one.match.reasons
            ],
        )
    for factor in one.factors:
        say(f"  {factor}")
    if one.absent:
        say("did not match: " + ", ".join(one.absent))
    for near in one.near:
        say(f"nearly: {near}")
    if one.needed:
        say(one.needed)


def verdict(score: float, floor: float) -> str:
    """How a score stands to the floor; never that it is 0.00 short."""
    if score >= floor:
        return "passes"
    return f"{floor - score:.2f} short of" if floor - score >= 0.005 else "just short of"


def _term(reason: Reason) -> str:
    if reason.learned:
        return f"{reason.term} (learned from likes)"
    if reason.field == "meaning":
        return f"{reason.term} (by the model)"
    if reason.related:
        return f"{reason.term} (related)"
    return f"{reason.term} (only {reason.part})" if reason.part else reason.term
