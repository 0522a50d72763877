"""The command that explains a score."""

from __future__ import annotations

import re
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path

import click

from digest.app import App
from digest.cli.options import clock, config_option, json_option, opened, person
from digest.cli.saying import print_json, print_table, say
from digest.errors import DigestError
from digest.matcher import Explanation
from digest.model import Reason
from digest.tex import readable

LISTINGS = 3
"""How many listings one text may name before it is too vague to explain them all."""

NEAREST_OF = 2_000
"""The newest listings among which the nearest title is looked for."""


@click.command()
@config_option
@json_option
@click.argument("email")
@click.argument("listing")
def explain(config_path: Path, email: str, listing: str, as_json: bool) -> None:
    """Show why LISTING scores as it does for EMAIL.

    LISTING is a key, a title or part of one.
    """
    with opened(config_path) as app:
        subscriber = person(app, email)
        found = app.store.find_listings(listing, LISTINGS + 1) if listing.strip() else []
        if not found:
            raise DigestError(
                f"no stored listing has {listing!r} in its title or as its key{_hint(app, listing)}"
            )
        matcher = app.matcher(clock())
        explained = [matcher.explain(subscriber.profile, one) for one in found[:LISTINGS]]
    if as_json:
        print_json([asdict(one) for one in explained])
        return
    for one in explained:
        _print(one)
    if len(found) > LISTINGS:
        say()
        say(f"more listings have {listing!r} in their title; name one more closely", err=True)


def _hint(app: App, text: str) -> str:
    """The title that shares most words with the text, or why there is none."""
    titles = [readable(one.title) for one in app.store.recent_listings(NEAREST_OF)]
    if not titles:
        return "; none is stored yet, `digest ingest` reads the sources"
    wanted = _words(text)
    shared = {title: len(wanted & _words(title)) for title in titles}
    most = max(shared.values())
    best = [title for title in titles if shared[title] == most]
    near = get_close_matches(text, best, n=1, cutoff=0.0)
    return f"; did you mean {near[0]!r}?" if most else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _print(one: Explanation) -> None:
    """The score, what counted, what did not, and what the floor asks for."""
    listing, score = one.match.listing, one.match.score
    say()
    say(readable(listing.title))
    say(f"{listing.key} · {listing.source}")
    if one.excluded_by:
        say(f"excluded by {one.excluded_by!r}: never shown, whatever its score")
    else:
        verdict = "passes" if score >= one.floor else f"{one.floor - score:.2f} short of"
        say(f"score {score:.2f}, {verdict} the floor of {one.floor:.2f}")
    if one.match.reasons:
        print_table(
            ("points", "term", "where", "times"),
            [
                (f"{r.points:+.3f}", _term(r), r.field, str(r.count or "–"))
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


def _term(reason: Reason) -> str:
    if reason.learned:
        return f"{reason.term} (learned from likes)"
    if reason.related:
        return f"{reason.term} (related)"
    return f"{reason.term} (only {reason.part})" if reason.part else reason.term
