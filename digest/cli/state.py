"""The command that shows how the service stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Any

import click

from digest.app import App
from digest.cli.options import clock, config_option, json_option, opened
from digest.cli.receipts import local_minute, print_sources, source_reports
from digest.cli.saying import print_json, say
from digest.model import DeliveryState
from digest.schedule import zone

MOST_HELD = 1_000_000
"""Held rows that are counted: all of them."""


@click.command()
@config_option
@json_option
def status(config_path: Path, as_json: bool) -> None:
    """Show the sources, the subscribers by state and today's digests."""
    with opened(config_path) as app:
        report, timezone = _report(app, clock()), app.config.service.timezone
    if as_json:
        print_json(report)
    else:
        _print_report(report, timezone)


def _report(app: App, now: datetime) -> dict[str, Any]:
    """How everything stands; `since` is the last midnight in the zone of the service."""
    states = [subscriber.state for subscriber in app.store.subscribers()]
    here = zone(app.config.service.timezone)
    midnight = datetime.combine(now.astimezone(here), time(), here)
    return {
        "sources": source_reports(app, now),
        "subscribers": {state: states.count(state) for state in sorted(set(states))},
        "since": midnight,
        "deliveries": dict(app.store.deliveries_by_state(midnight)),
        "held": len(app.store.ledger_rows(MOST_HELD, state=DeliveryState.HELD)),
        "next_attempt_at": app.store.next_attempt_at(),
        "service": {topic: asdict(one) for topic, one in app.store.noted_states().items()},
    }


def _print_report(report: dict[str, Any], timezone: str) -> None:
    print_sources(report["sources"], timezone)
    say()
    say(f"subscribers: {_counts(report['subscribers'])}")
    say(f"digests since {report['since']:%Y-%m-%d %H:%M %Z}: {_counts(report['deliveries'])}")
    if report["held"]:
        say(f"held for your word: {report['held']:,}; see `digest held list`")
    if report["next_attempt_at"]:
        say(f"mails wait; next try: {local_minute(report['next_attempt_at'], timezone)}")
    _print_service(report["service"], timezone)


def _print_service(states: Mapping[str, dict[str, Any]], timezone: str) -> None:
    """What the running service has to say of itself; nothing where all is well."""
    for one in states.values():
        say(f"the service says since {local_minute(one['since'], timezone)}:")
        for said in one["says"]:
            say(f"  {said}")


def _counts(states: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "none"
