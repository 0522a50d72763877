"""The commands that show a digest, in any form: today's as it would be, a past one as it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from digest import jobs
from digest.app import App
from digest.cli.options import (
    Command,
    calendar_day,
    clock,
    config_option,
    json_option,
    one_in_file,
    opened,
    person,
)
from digest.cli.saying import counted, print_json, print_table, say
from digest.errors import DigestError
from digest.model import Delivery, DeliveryState, Digest
from digest.planner import plan
from digest.press import FORMS, PARTS, printed, render
from digest.renderer.words import TITLES
from digest.replay import (
    Change,
    Difference,
    Likeness,
    Place,
    differences,
    likeness,
    then,
    with_profile,
)
from digest.schedule import zone
from digest.store import Due
from digest.store.ledger import KEEP_DELIVERIES
from digest.tex import readable

SIGNS = {Change.KEPT: "=", Change.MOVED: "~", Change.NEW: "+", Change.GONE: "-"}

output_option = click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="The file to write; - is standard output.  [default: named after command and EMAIL]",
)


def form_option(default: str) -> Callable[[Command], Command]:
    """The option that names a digest's form."""
    choice = click.Choice(list(FORMS))
    return click.option(
        "--format", "form", type=choice, default=default, show_default=True, help="Its form."
    )


# --- preview ----------------------------------------------------------------------------------


@click.command()
@config_option
@click.argument("email")
@form_option("html")
@output_option
@click.option("--open", "show", is_flag=True, help="Open the file with what shows such files.")
def preview(config_path: Path, email: str, form: str, output: Path | None, *, show: bool) -> None:
    """Write the digest that EMAIL would get now as a file, and name it.

    Nothing is sent or recorded.
    """
    with opened(config_path) as app:
        subscriber = person(app, email)
        now = clock()
        day = now.astimezone(zone(subscriber.timezone)).date()
        digest = next(iter(plan(app, [Due(subscriber, day)], now)))
        draft = jobs.draft(app, digest, now)
        made, subject = printed(app, draft, form), render(app, draft).subject
        today = app.store.delivery(subscriber.id, day)
    if today and today.digest.listings:
        say(f"today's digest is {today.state} already; this is what would come beside it", err=True)
    if digest.mailed:
        say(f"{counted(len(digest.listings), 'item')}; subject: {subject}", err=True)
    else:
        say(f"no mail would be sent: {digest.empty_reason}", err=True)
    path = output or Path(f"preview-{_plain(subscriber.email)}{FORMS[form]}")
    _write(path, made)
    if show and click.launch(str(path)):
        raise DigestError(f"nothing could be started to show it; open {path.resolve().as_uri()}")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9@._+-]", "_", text)


def _write(path: Path, made: bytes) -> None:
    """Write a file and name it, or write to standard output."""
    if str(path) == "-":
        click.echo(made, nl=False)
    else:
        path.write_bytes(made)
        say(path)


# --- replay -----------------------------------------------------------------------------------


@click.command()
@config_option
@json_option
@click.argument("email")
@click.argument("day", type=calendar_day, metavar="DAY")
@form_option("eml")
@output_option
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Write nothing; show what the profile in this TOML file would have got instead.",
)
def replay(  # noqa: PLR0913  # one for each option
    config_path: Path,
    email: str,
    day: date,
    *,
    form: str,
    output: Path | None,
    profile: Path | None,
    as_json: bool,
) -> None:
    """Make the digest of a past DAY again, or try another profile on it.

    DAY is the local day of EMAIL, as 2026-11-20. Without --profile the very bytes are written that
    were sent; ends with 1, and says why, where they are known to differ.
    """
    if as_json and not profile:
        raise click.UsageError(
            "--json goes with --profile; --format json writes the digest as JSON"
        )
    with opened(config_path) as app:
        delivery = _delivery(app, email, day)
        if profile:
            other = with_profile(app, delivery, one_in_file(app, profile).profile)
            _show(delivery, other, profile, as_json=as_json)
            return
        if form in PARTS and delivery.state is DeliveryState.EMPTY:
            raise DigestError(f"no mail was made for {email} on {day}: {delivery.reply}")
        past = then(app, delivery)
        made = printed(past, delivery, form)
        found = likeness(past, delivery) if form in PARTS else Likeness.SAME
    _write(output or Path(f"replay-{_plain(email)}-{day}{FORMS[form]}"), made)
    if form in PARTS and found.is_faithful:
        say(_told(found, delivery), err=True)
    if not found.is_faithful:
        raise DigestError(found)


def _told(found: Likeness, delivery: Delivery) -> str:
    return f"{found} ({delivery.state})" if found is Likeness.UNSENT else str(found)


def _delivery(app: App, email: str, day: date) -> Delivery:
    """The ledger's row of somebody's day. Raises: DigestError that says what there is instead."""
    subscriber = person(app, email)
    if found := app.store.delivery(subscriber.id, day):
        return found
    kept = sorted(one.digest.digest_on for one in app.store.deliveries_of(subscriber.id))
    if not kept:
        raise DigestError(
            f"no digest of {email} is kept; they are deleted after {KEEP_DELIVERIES.days} days"
        )
    oldest, nearest = kept[0], min(kept, key=lambda one: abs(one - day))
    why = f"the oldest that is kept is that of {oldest}, as they are deleted after"
    why = (
        f"{why} {KEEP_DELIVERIES.days} days"
        if day < oldest
        else f"the nearest is that of {nearest}"
    )
    raise DigestError(f"there is no digest of {email} for {day}; {why}")


def _show(delivery: Delivery, other: Digest, profile: Path, *, as_json: bool) -> None:
    """Print what another profile changes, for a person or for a program."""
    made = differences(delivery.digest, other)
    if as_json:
        print_json(
            {
                "email": delivery.digest.subscriber.email,
                "digest_on": delivery.digest.digest_on,
                "listings": [_record(one) for one in made],
            }
        )
        return
    before, after = len(delivery.digest.listings), len(other.listings)
    counts = {kind: sum(one.change is kind for one in made) for kind in Change}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    say(
        f"{delivery.digest.subscriber.email}, {delivery.digest.digest_on}: "
        f"{counted(before, 'item')} then, {after:,} with {profile.name}; {told}"
    )
    if not after:
        say(other.empty_reason)
    if made:
        say()
        print_table(
            ("", "place", "section", "score", "title"),
            [
                (
                    SIGNS[one.change],
                    _turned(one, lambda place: str(place.number)),
                    _turned(one, lambda place: TITLES[place.section]),
                    _turned(one, lambda place: f"{place.score:.2f}"),
                    readable(one.listing.title),
                )
                for one in made
            ],
        )


def _turned(one: Difference, read: Callable[[Place], str]) -> str:
    """What it was and would be, or once where that is the same."""
    ends = [read(place) for place in (one.was, one.would_be) if place]
    return " → ".join(dict.fromkeys(ends))


def _record(one: Difference) -> dict[str, object]:
    return {
        "change": one.change,
        "key": one.listing.key,
        "title": readable(one.listing.title),
        "was": asdict(one.was) if one.was else None,
        "would_be": asdict(one.would_be) if one.would_be else None,
    }
