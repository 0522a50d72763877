"""The command that shows how the service stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any

import click

from digest.app import App
from digest.cli.options import clock, config_option, json_option, opened
from digest.cli.saying import complain, minute, print_json, print_table, say
from digest.model import Source, SourceRun
from digest.schedule import zone


@click.command()
@config_option
@json_option
def status(config_path: Path, as_json: bool) -> None:
    """Show the sources, the subscribers by state and today's digests."""
    with opened(config_path) as app:
        report = _report(app, clock())
    if as_json:
        print_json(report)
    else:
        _print_report(report)


def _report(app: App, now: datetime) -> dict[str, Any]:
    """How everything stands; `since` is the last midnight in the zone of the service."""
    latest = app.store.latest_runs()
    states = [subscriber.state for subscriber in app.store.subscribers()]
    midnight = datetime.combine(
        now.astimezone(zone(app.config.service.timezone)),
        time(),
        zone(app.config.service.timezone),
    )
    return {
        "sources": [
            _source(source, latest.get(source.name), app.store.last_success_at(source.name))
            for source in app.config.sources
        ],
        "subscribers": {state: states.count(state) for state in sorted(set(states))},
        "since": midnight,
        "deliveries": dict(app.store.deliveries_by_state(midnight)),
        "next_attempt_at": app.store.next_attempt_at(),
    }


def _source(source: Source, run: SourceRun | None, success_at: datetime | None) -> dict[str, Any]:
    return {
        "source": source.name,
        "kind": source.kind,
        "last_run_at": run.started_at if run else None,
        "last_success_at": success_at,
        "read": run.read if run else 0,
        "new": run.new if run else 0,
        "error": run.error if run else "",
    }


def _print_report(report: dict[str, Any]) -> None:
    print_table(
        ("source", "kind", "read", "new", "last success", "state"),
        [
            (
                source["source"],
                source["kind"],
                source["read"],
                source["new"],
                minute(source["last_success_at"]),
                "failed" if source["error"] else "ok" if source["last_run_at"] else "never read",
            )
            for source in report["sources"]
        ],
    )
    complain(*(source["error"] for source in report["sources"] if source["error"]))
    say()
    say(f"subscribers: {_counts(report['subscribers'])}")
    say(f"digests since {report['since']:%Y-%m-%d %H:%M %Z}: {_counts(report['deliveries'])}")
    if report["next_attempt_at"]:
        say(f"mails wait; next try: {minute(report['next_attempt_at'])}")


def _counts(states: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "none"
