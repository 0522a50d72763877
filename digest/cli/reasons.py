"""The command that explains a score."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from digest.cli.options import config_option, json_option, opened, person, print_json, print_table
from digest.errors import DigestError
from digest.matcher import Explanation
from digest.model import Reason
from digest.tex import readable

LISTINGS = 3
"""How many listings one text may name before it is too vague to explain them all."""


@click.command()
@config_option
@json_option
@click.argument("email")
@click.argument("listing")
def explain(config_path: Path, email: str, listing: str, as_json: bool) -> None:
    """Show why LISTING (a key, a title or part of one) scores as it does for EMAIL."""
    with opened(config_path) as app:
        subscriber = person(app, email)
        found = app.store.find_listings(listing, LISTINGS + 1)
        if not found:
            raise DigestError(f"no stored listing has {listing!r} in its title, or as its key")
        matcher = app.matcher()
        explained = [matcher.explain(subscriber.profile, one) for one in found[:LISTINGS]]
    if as_json:
        print_json([asdict(one) for one in explained])
        return
    for one in explained:
        _print(one)
    if len(found) > LISTINGS:
        click.echo(f"\nmore listings have {listing!r} in their title; name one more closely")


def _print(one: Explanation) -> None:
    """The score, what counted, what did not, and what the floor asks for."""
    listing, score = one.match.listing, one.match.score
    click.echo(f"\n{readable(listing.title)}\n{listing.key} · {listing.source}")
    if one.excluded_by:
        click.echo(f"excluded by {one.excluded_by!r}: never shown, whatever its score")
    verdict = "passes" if score >= one.floor else f"{one.floor - score:.2f} short of"
    click.echo(f"score {score:.2f}, {verdict} the floor of {one.floor:.2f}")
    if one.match.reasons:
        print_table(
            ("points", "term", "where", "times"),
            [(f"{r.points:+.3f}", _term(r), r.field, r.count) for r in one.match.reasons],
        )
    for factor in one.factors:
        click.echo(f"  {factor}")
    if one.absent:
        click.echo("did not match: " + ", ".join(one.absent))
    for near in one.near:
        click.echo(f"nearly: {near}")
    if one.needed:
        click.echo(one.needed)


def _term(reason: Reason) -> str:
    if reason.related:
        return f"{reason.term} (related)"
    return f"{reason.term} (only {reason.part})" if reason.part else reason.term
