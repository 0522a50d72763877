"""The commands of the daily run: ingest, preview, send, serve, status."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from digest import jobs
from digest.app import App
from digest.cli.options import (
    clock,
    config_option,
    json_option,
    log_to_stderr,
    opened,
    person,
    print_json,
    print_table,
)
from digest.errors import DigestError
from digest.mailer import EmlFolder
from digest.model import DeliveryState, Source, SourceRun
from digest.schedule import zone
from digest.scheduler import serve as serve_app
from digest.store import Due


@click.command()
@config_option
@json_option
@click.option("--source", "names", multiple=True, help="Only this source; may be repeated.")
def ingest(config_path: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Read the sources now and store what is new."""
    with opened(config_path) as app:
        runs = asyncio.run(jobs.ingest(app, clock(), _named(app, names)))
    if as_json:
        print_json([asdict(run) for run in runs])
    else:
        print_runs(runs)
    if any(run.error for run in runs):
        sys.exit(1)


def print_runs(runs: Sequence[SourceRun]) -> None:
    """Print what each source brought; the errors stand below, each on a line of its own."""
    print_table(
        ("source", "announced", "read", "new", "joined", "too old", "day"),
        [
            (
                run.source,
                "–" if run.announced is None else run.announced,
                run.read,
                run.new,
                run.joined,
                run.too_old,
                run.batch_on or "–",
            )
            for run in runs
        ],
    )
    for run in runs:
        if run.error:
            click.echo(f"error: {run.error}", err=True)


def _named(app: App, names: Sequence[str]) -> list[Source]:
    known = {source.name: source for source in app.config.sources}
    for name in names:
        if name not in known:
            raise DigestError(f"no source is named {name!r}; there are {', '.join(known)}")
    return [source for name, source in known.items() if not names or name in names]


@click.command()
@config_option
@click.option(
    "--now", "at_once", is_flag=True, help="Everyone without a digest today, whatever their hour."
)
@click.option("--dry-run", is_flag=True, help="Write .eml files; send and record nothing.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mails"),
    show_default=True,
    help="Folder for the .eml files of --dry-run.",
)
def send(config_path: Path, at_once: bool, dry_run: bool, output: Path) -> None:
    """Prepare the digests that are due and send what waits."""
    with opened(config_path) as app:
        if dry_run:
            _write_mails(app, at_once, output)
            return
        prepared = jobs.prepare(app, clock(), at_once=at_once)
        sent = asyncio.run(jobs.deliver(app, clock))
        waiting = app.store.next_attempt_at()
    queued, empty = prepared[DeliveryState.QUEUED], prepared[DeliveryState.EMPTY]
    click.echo(f"prepared: {queued} to send, {empty} without a match")
    click.echo(f"tried: {_counts(sent)}")
    if waiting:
        click.echo(f"some mails wait; the next try is due at {_minute(waiting)}", err=True)
        sys.exit(1)


def _counts(states: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"


def _write_mails(app: App, at_once: bool, output: Path) -> None:
    folder = EmlFolder(output)
    digests = asyncio.run(jobs.rehearse(app, clock(), folder, at_once=at_once))
    for path in folder.written:
        click.echo(path)
    empty = sum(not digest.mailed for digest in digests)
    click.echo(
        f"{len(folder.written)} mails written, {empty} days without a match;"
        " nothing was sent or recorded",
        err=True,
    )


@click.command()
@config_option
@click.argument("email")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="The page's file.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def preview(config_path: Path, email: str, output: Path | None, show: bool) -> None:
    """Write the digest that EMAIL would get now as a page, and name it."""
    with opened(config_path) as app:
        subscriber = person(app, email)
        now = clock()
        day = now.astimezone(zone(subscriber.timezone)).date()
        digest = next(jobs.plan(app, [Due(subscriber, day)], now))
        page = jobs.render(app, jobs.draft(app, digest, now))
    path = output or Path(f"preview-{re.sub(r'[^A-Za-z0-9@._+-]', '_', subscriber.email)}.html")
    path.write_text(page.html, "utf-8")
    if not digest.mailed:
        click.echo(f"no mail would be sent: {digest.empty_reason}", err=True)
    click.echo(path)
    if show:
        click.launch(str(path))


@click.command()
@config_option
def serve(config_path: Path) -> None:
    """Run the service: read sources, prepare and send, day after day."""
    log_to_stderr()
    with opened(config_path) as app:
        asyncio.run(serve_app(app, clock))


@click.command()
@config_option
@json_option
def status(config_path: Path, as_json: bool) -> None:
    """Show the sources, the subscribers by state and today's deliveries."""
    with opened(config_path) as app:
        now = clock()
        latest = app.store.latest_runs()
        states = [subscriber.state for subscriber in app.store.subscribers()]
        report = {
            "sources": [
                {
                    "source": source.name,
                    "kind": source.kind,
                    "last_run_at": latest[source.name].started_at
                    if source.name in latest
                    else None,
                    "last_success_at": app.store.last_success_at(source.name),
                    "read": latest[source.name].read if source.name in latest else 0,
                    "new": latest[source.name].new if source.name in latest else 0,
                    "error": latest[source.name].error if source.name in latest else "",
                }
                for source in app.config.sources
            ],
            "subscribers": {state: states.count(state) for state in sorted(set(states))},
            "deliveries": dict(app.store.deliveries_by_state(now - timedelta(hours=24))),
            "next_attempt_at": app.store.next_attempt_at(),
        }
    if as_json:
        print_json(report)
    else:
        _print_status(report)


def _print_status(report: dict[str, Any]) -> None:
    print_table(
        ("source", "kind", "last success", "read", "new", "state"),
        [
            (
                source["source"],
                source["kind"],
                _minute(source["last_success_at"]),
                source["read"],
                source["new"],
                source["error"] or ("ok" if source["last_run_at"] else "never read"),
            )
            for source in report["sources"]
        ],
    )
    click.echo(f"\nsubscribers: {_counts(report['subscribers'])}")
    click.echo(f"deliveries of the last 24 hours: {_counts(report['deliveries'])}")
    if report["next_attempt_at"]:
        click.echo(f"next try: {_minute(report['next_attempt_at'])}")


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"
