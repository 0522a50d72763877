"""The commands for likes: say them, take them back, and see what they suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import tomli_w

from digest import tuning
from digest.app import App
from digest.cli.naming import named_listing
from digest.cli.options import clock, config_option, json_option, opened, person
from digest.cli.saying import counted, minute, print_json, print_table, say
from digest.errors import ConfigError, DigestError
from digest.learning import examples
from digest.matcher import Likes, Proposal
from digest.matcher.proposals import propose
from digest.model import Listing, Origin, Subscriber
from digest.store.personal import Like
from digest.tex import readable
from digest.text import cut

COMPARED = 3000
"""The newest stored listings that examples are compared with, of which the matcher takes half to
learn from and all to say how usual a term is."""

MOST_FAULTS = 5
"""Slips in a library that are told one by one."""

EXAMPLES = 500
"""Likes, and as many dislikes, that suggestions are drawn from: all that are kept."""

_undo = click.option("--undo", is_flag=True, help="Take back what was said of it.")


@click.command()
@config_option
@click.argument("email")
@click.argument("listing")
@_undo
def like(config_path: Path, email: str, listing: str, *, undo: bool) -> None:
    """Keep that EMAIL wants more like LISTING.

    LISTING is a key, an arXiv id, a DOI, a web address, or a part of one title.
    """
    _say_of(config_path, email, listing, 0 if undo else 1)


@click.command()
@config_option
@click.argument("email")
@click.argument("listing")
@_undo
def dislike(config_path: Path, email: str, listing: str, *, undo: bool) -> None:
    """Keep that EMAIL wants less like LISTING.

    LISTING is a key, an arXiv id, a DOI, a web address, or a part of one title.
    """
    _say_of(config_path, email, listing, 0 if undo else -1)


def _say_of(config_path: Path, email: str, text: str, value: int) -> None:
    """Keep a like or dislike of a listing, or with 0 take back either."""
    with opened(config_path) as app:
        one = person(app, email)
        if not value:
            listing = _said_before(app, one, text)
            app.store.unlike(one.id, listing)
            say(f"taken back: {readable(listing.title)}")
            return
        listing = named_listing(app, text)
        app.store.like(one.id, Like(listing, value, clock(), "cli"))
    say(f"{'more' if value > 0 else 'less'} like this: {readable(listing.title)}")
    if not one.profile.learn:
        say(
            f"kept as an example: `digest profile suggest {one.email}` shows what it teaches, "
            "learn = true in the profile lets it count at once",
            err=True,
        )


def _said_before(app: App, one: Subscriber, text: str) -> Listing:
    """The listing among what was said already, stored still or not. Raises: DigestError."""
    said = [each.listing for each in app.store.likes([one.id]).get(one.id, ())]
    wanted = text.strip().casefold()
    whole = [each for each in said if wanted in {each.key.casefold(), each.title.casefold()}]
    found = whole or [each for each in said if wanted and wanted in each.title.casefold()]
    if len(found) == 1:
        return found[0]
    listing = named_listing(app, text)
    names = {listing.key, *listing.ids}
    for each in said:
        if names & {each.key, *each.ids}:
            return each
    raise DigestError(f"{one.email} has said nothing of {readable(listing.title)!r}")


# --- the profile ------------------------------------------------------------------------------


@click.group()
def profile() -> None:
    """Show what was liked, and what that suggests changing in a profile."""


@profile.command()
@config_option
@json_option
@click.argument("email")
def likes(config_path: Path, email: str, *, as_json: bool) -> None:
    """List what EMAIL liked and disliked, the newest first."""
    with opened(config_path) as app:
        said = _said(app, person(app, email))
    if as_json:
        print_json([_like_row(each) for each in said])
        return
    if not said:
        say(f"nothing yet: `digest like {email} LISTING` says what is wanted", err=True)
        return
    print_table(
        ("", "listing", "key", "said", "by"),
        [
            (
                "more" if each.value > 0 else "less",
                cut(readable(each.listing.title), 60),
                each.listing.key,
                minute(each.liked_at),
                each.origin,
            )
            for each in said
        ],
    )


@profile.command()
@config_option
@json_option
@click.argument("email")
@click.option(
    "--library",
    "--bibtex",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take the papers of this file for liked as well: BibTeX, RIS, CSL JSON, Zotero's CSV.",
)
@click.option("--apply", "applied", is_flag=True, help="Write all of it into the profile.")
def suggest(
    config_path: Path, email: str, library: Path | None, *, as_json: bool, applied: bool
) -> None:
    """Show which keywords the likes of EMAIL suggest, each with its evidence."""
    kept = _library(library) if library else []
    with opened(config_path) as app:
        one, now = person(app, email), clock()
        said = examples(_said(app, one), most=EXAMPLES, bounded=True)
        said = replace(said, liked=(*said.liked, *kept))
        found = _suggested(app, one, said, now)
        place = str(app.config.place)
        if as_json:
            print_json([_row(each) for each in found])
        elif found:
            _print(found, one, place)
        else:
            say(_why_nothing(app, one, said), err=True)
        if applied and found:
            _apply(app, one, found, now, quiet=as_json)


def _library(path: Path) -> list[Listing]:
    """The papers of a library; slips in single entries are told. Raises: ConfigError."""
    from digest.bibliography import read_library  # noqa: PLC0415 - 0.1 s that few commands need

    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}"]) from error
    found, faults = read_library(text, str(path))
    for fault in faults[:MOST_FAULTS]:
        say(f"passed over: {fault}", err=True)
    if len(faults) > MOST_FAULTS:
        say(f"passed over: {len(faults) - MOST_FAULTS:,} more", err=True)
    return found


def _said(app: App, one: Subscriber) -> Sequence[Like]:
    return app.store.likes([one.id]).get(one.id, ())


def _suggested(app: App, one: Subscriber, said: Likes, now: datetime) -> list[Proposal]:
    stored = app.store.recent_listings(COMPARED)[::-1]
    return propose(one.profile, said, stored, app.matcher(now).statistics)


def _why_nothing(app: App, one: Subscriber, said: Likes) -> str:
    if not (said.liked or said.disliked):
        return f"nothing to learn from yet: `digest like {one.email} LISTING` says what is wanted"
    if not app.store.recent_listings(1):
        return "no listing is stored that tells what is usual; run `digest ingest`"
    number = counted(len(said.liked) + len(said.disliked), "example")
    return f"{number}, and no word that would part them from what is usual"


def _apply(
    app: App, one: Subscriber, found: Sequence[Proposal], now: datetime, *, quiet: bool
) -> None:
    """Write the proposals into the profile of a subscriber of the store. Raises: DigestError."""
    if one.origin is Origin.FILE:
        raise DigestError(
            f"{one.email} belongs to {app.config.place}: paste the lines there, "
            "below its [subscribers.keywords]"
        )
    change = tuning.accept(one.profile, found)
    app.store.put_subscriber(replace(one, profile=change.profile), now)
    for line in change.says if not quiet else ():
        say(line)


def _print(found: Sequence[Proposal], one: Subscriber, place: str) -> None:
    """The proposals with their evidence, then as lines for the profile."""
    print_table(
        ("", "term", "weight", "evidence", "such as"),
        [
            (
                each.kind,
                each.term,
                f"{each.before:g} → {each.weight:g}" if each.before else f"{each.weight:g}",
                each.evidence,
                cut(readable(each.held_by[0].title), 50) if each.held_by else "–",
            )
            for each in found
        ],
    )
    owner = place if one.origin is Origin.FILE else "the profile"
    say()
    say(f"# for {owner}, in the place of lines with the same words")
    say("[subscribers.keywords]")
    lines = tomli_w.dumps({each.term: _number(each.weight) for each in found})
    for line in lines.splitlines():
        say(line)


def _number(weight: float) -> float | int:
    return int(weight) if weight.is_integer() else weight


def _row(each: Proposal) -> dict[str, object]:
    return {
        "kind": each.kind,
        "term": each.term,
        "weight": each.weight,
        "before": each.before or None,
        "liked": each.liked,
        "of_liked": each.of_liked,
        "disliked": each.disliked,
        "of_disliked": each.of_disliked,
        "usual": round(each.usual, 6),
        "held_by": [{"key": one.key, "title": one.title} for one in each.held_by],
    }


def _like_row(each: Like) -> dict[str, object]:
    listing = each.listing
    return {
        "key": listing.key,
        "title": listing.title,
        "url": listing.url,
        "value": each.value,
        "said_at": each.liked_at,
        "said_by": each.origin,
    }
