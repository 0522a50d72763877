"""The commands by which people come and go as files: `subscribers import` and `export`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from digest.app import App
from digest.cli.options import (
    check_ours,
    clock,
    config_option,
    json_option,
    opened,
    parsed,
    put,
    read_text,
    wanted,
)
from digest.cli.progress import progress
from digest.cli.returning import why
from digest.cli.saying import counted, print_json, print_table, say
from digest.config import profile_toml
from digest.errors import SUPPRESSED_FOR, DigestError
from digest.exporting import people_table
from digest.model import Origin, Subscriber, SubscriberState
from digest.moving import Tally, Terms, move_in
from digest.roster import FORMATS, Roster, open_roster
from digest.roster.columns import meant
from digest.store.backups import arriving, is_database, told
from digest.store.moved import Landing
from digest.store.returned import Suppression

TOLD = 20
"""Rows and addresses that are named; more are counted."""

SAYS = {
    Landing.ADDED: "added",
    Landing.ASKED: "asked by a letter whether they want it",
    Landing.HERE: "here already, nothing changed",
    Landing.WAITING: "asked before, no answer yet",
    Landing.UNSUBSCRIBED: "unsubscribed here, and stay so",
    Landing.STOPPED: "gone there: get no mail here either",
    Landing.ENDED: "gone there: no mail any more",
    Landing.STOPPED_BEFORE: "gone there, and known to be",
    Landing.KEPT: "gone there, but confirmed here by themselves: nothing changed",
}
"""What the table says of people, in its order; those suppressed here come with their reasons."""


@click.command("import")
@config_option
@json_option
@click.option(
    "--format",
    "wanted_format",
    type=click.Choice(["toml", *FORMATS]),
    help="What FILE is, where it is not found out rightly.",
)
@click.option(
    "--profile",
    help="What those read whose row does not say it: a TOML file or a subscriber's address.",
)
@click.option(
    "--confirmed",
    metavar="TEXT",
    help="Where and when they agreed to such mail; kept as the proof. Without it they are asked.",
)
@click.option("--gone", is_flag=True, help="All of FILE left the other system: never mail them.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, and change nothing.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(  # noqa: PLR0913  # one for each option
    config_path: Path,
    file: Path,
    *,
    wanted_format: str | None,
    profile: str | None,
    confirmed: str | None,
    gone: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in the people of FILE: our TOML, a table (CSV), listmonk's export, Mailman's lists."""
    if confirmed is not None and not confirmed.strip():
        raise click.UsageError('--confirmed says where and when, as in "web form, May 2024"')
    with opened(config_path) as app:
        if wanted_format == "toml" or (wanted_format is None and _is_toml(file)):
            if profile or confirmed or gone:
                raise click.UsageError(
                    "--profile, --confirmed and --gone go with csv, listmonk and mailman; "
                    "a TOML file says itself what each person gets"
                )
            _import_toml(app, file, dry_run=dry_run, as_json=as_json)
            return
        roster = open_roster(file, wanted_format or "")
        like = wanted(app, profile) if profile else None
        terms = Terms(like, " ".join((confirmed or "").split()), gone)
        with progress("people") as done:
            tally = move_in(app, roster, terms, clock(), dry=dry_run, done=done)
    if as_json:
        print_json(_as_json(roster, tally, dry_run=dry_run))
    else:
        _print(roster, tally, dry_run=dry_run)
        _print_notes(roster, tally, dry_run=dry_run)
    if tally.invalid:
        click.get_current_context().exit(1)


def _print(roster: Roster, tally: Tally, *, dry_run: bool) -> None:
    """The counts of what became of the rows."""
    kind = "a table" if roster.format == "csv" else f"a list of {roster.format.capitalize()}'s"
    kind = "listmonk's export" if roster.format == "listmonk" else kind
    say(f"{roster.path}: {kind}, {ENCODINGS[roster.encoding]}")
    rows = list(_counts(tally))
    if rows:
        print_table(("rows", "dry run: they would be" if dry_run else "they are"), rows)
    else:
        say("nobody stands in it")


ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "cp1252": "not UTF-8, read as Windows-1252",
}


def _counts(tally: Tally) -> Iterator[tuple[int, str]]:
    for landing, words in SAYS.items():
        if tally.landed[landing]:
            yield tally.landed[landing], words
    for reason, number in sorted(tally.held.items()):
        yield number, f"suppressed here, and stay so: {SUPPRESSED_FOR[reason]}"
    if tally.repeated:
        yield tally.repeated, "the same address again"
    if tally.invalid:
        yield tally.invalid, "not usable"


def _print_notes(roster: Roster, tally: Tally, *, dry_run: bool) -> None:
    """What stands behind the counts, and what to know of such a file."""
    for fault in tally.faults[:TOLD]:
        say(f"line {fault.line}: {fault.why}", err=True)
    if (more := tally.invalid - TOLD) > 0:
        say(f"and {counted(more, 'more row')} not usable; --json has more of them", err=True)
    for email in tally.ended[:TOLD]:
        say(f"{email} was mailed here and has left there: no mail any more", err=True)
    for head in roster.unused:
        if near := meant(head):
            say(f'column "{head}" is not used; did you mean "{near}"?', err=True)
    if unused := [head for head in roster.unused if head and not meant(head)]:
        say(f"columns not used: {', '.join(unused[:TOLD])}", err=True)
    joining = tally.landed[Landing.ADDED] + tally.landed[Landing.ASKED]
    if joining and roster.format == "listmonk" and not roster.tells_who_left:
        say(
            "listmonk leaves out of such a file who has unsubscribed from a list; "
            "docs/moving.md says how to bring that along",
            err=True,
        )
    if tally.landed[Landing.ASKED] and not dry_run:
        say("`digest serve` sends the letters; their links work for 48 hours", err=True)


def _as_json(roster: Roster, tally: Tally, *, dry_run: bool) -> dict[str, object]:
    landed = {landing.replace(" ", "_"): tally.landed[landing] for landing in Landing}
    return {
        "file": str(roster.path),
        "format": roster.format,
        "encoding": roster.encoding,
        "dry_run": dry_run,
        "counts": {**landed, "repeated": tally.repeated, "invalid": tally.invalid},
        "suppressed_for": dict(sorted(tally.held.items())),
        "ended": tally.ended,
        "invalid": [{"line": fault.line, "why": fault.why} for fault in tally.faults],
        "columns_not_used": list(roster.unused),
    }


# --- TOML, our own form -------------------------------------------------------------------------


def _is_toml(file: Path) -> bool:
    """Whether a file is named like TOML, or begins like a list of our subscribers."""
    if file.suffix == ".toml":
        return True
    try:
        with file.open("rb") as opened_file:
            return b"[[subscribers]]" in opened_file.read(4096)
    except OSError:
        return False  # whoever reads it as a list says so


def _import_toml(app: App, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Add or change the subscribers of a TOML file, all or none of them."""
    named = parsed(app, read_text(file), str(file))
    known = {one.email: app.store.subscriber(one.email) for one in named}
    people = [one for one in named if not _as_configured(one, known[one.email])]
    before = (known[one.email] for one in people)
    owned = [one for one in before if one and one.state is not SubscriberState.REMOVED]
    for one in owned:
        check_ours(one, app)
    barred = [held for one in people if (held := _barred(app, one, known[one.email]))]
    left_out = {held.email for held in barred}
    taken = [one for one in people if one.email not in left_out]
    for new in taken if not dry_run else ():
        put(app, new)
    if as_json:
        counts = {
            "added": len(taken) - len(owned),
            "changed": len(owned),
            "suppressed": len(barred),
            "unchanged": len(named) - len(people),
        }
        print_json({"file": str(file), "format": "toml", "dry_run": dry_run, "counts": counts})
        return
    say(f"{'would import' if dry_run else 'imported'} {counted(len(taken), 'subscriber')}")
    if same := len(named) - len(people):
        say(f"passed over {counted(same, 'subscriber')} as {app.config.place} has them", err=True)
    for held in barred:
        say(f"left out {held.email}: {why(held)}", err=True)
    for one in owned:
        if one.state is SubscriberState.UNSUBSCRIBED:
            say(f"{one.email} has unsubscribed and still gets no mail", err=True)
        if one.state is SubscriberState.SUPPRESSED:
            say(f"{one.email} is suppressed and still gets no mail", err=True)


def _as_configured(new: Subscriber, known: Subscriber | None) -> bool:
    """Whether someone is wanted as the config file has them: an export of ours holds them too."""
    if known is None or known.origin is not Origin.FILE or known.state not in EXPORTED:
        return False
    return profile_toml(known) == profile_toml(new)


def _barred(app: App, new: Subscriber, known: Subscriber | None) -> Suppression | None:
    """Why a subscriber cannot be made of an address, if so."""
    if known and known.state is not SubscriberState.REMOVED:
        return None
    return app.store.suppression(new.email)


EXPORTED = (SubscriberState.ACTIVE, SubscriberState.PAUSED)
"""Who may be mailed again when the file is imported elsewhere; the others never said yes, or no."""


@click.command()
@config_option
@click.option(
    "--format",
    "wanted_format",
    type=click.Choice(["toml", "csv"]),
    help="TOML, or a table with everybody and how they stand; by the name of FILE without it.",
)
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def export(config_path: Path, file: Path | None, *, wanted_format: str | None, force: bool) -> None:
    """Write the subscribers to FILE, for its owner alone, or to standard output.

    As TOML those who are active or paused; as CSV everybody, also who left.
    """
    as_table = wanted_format == "csv" or (wanted_format is None and _is_csv(file))
    with opened(config_path) as app:
        if as_table:
            lines = list(people_table(app))
            number, left = len(lines) - 1, 0
        else:
            people = app.store.subscribers()
            exported = [one for one in people if one.state in EXPORTED]
            lines = ["\n".join(profile_toml(one) for one in exported)]
            number, left = len(exported), len(people) - len(exported)
    _write("".join(lines), file, force=force)
    if file:
        say(f"wrote {counted(number, 'subscriber')} to {file}")
    if left:
        say(f"left out {left:,} who unsubscribed, bounced or have not confirmed", err=True)


def _is_csv(file: Path | None) -> bool:
    return file is not None and file.suffix.lower() == ".csv"


def _write(text: str, file: Path | None, *, force: bool) -> None:
    if file is None:
        click.echo(text, nl=False)
        return
    with told(file), arriving(file, replace=force) as made:
        if file.exists() and is_database(file):
            raise DigestError(f"{file}: is a database, which a list does not replace")
        made.write_text(text, "utf-8", newline="")
