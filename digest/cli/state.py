"""The command that shows how the service stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Any

import click

from digest.app import App
from digest.cli.options import config_option, json_option, opened, service_clock
from digest.cli.receipts import local_minute, print_sources, source_reports
from digest.cli.saying import print_json, print_table, say
from digest.model import DeliveryState
from digest.notes import near_bulk
from digest.oversight import by_day
from digest.schedule import zone
from digest.store.operating import ALIVE, WorkerBeat, living
from digest.store.returned import What

RECEIVERS = 10
"""Receivers that the status names; the others are summed up."""

MOST_HELD = 1_000_000
"""Held rows that are counted: all of them."""


@click.command()
@config_option
@json_option
def status(config_path: Path, as_json: bool) -> None:
    """Show the sources, the subscribers by state and today's digests."""
    with opened(config_path) as app:
        report, timezone = _report(app, service_clock(app)()), app.config.service.timezone
    if as_json:
        print_json(report)
    else:
        _print_report(report, timezone)


def _report(app: App, now: datetime) -> dict[str, Any]:
    """How everything stands; `since` is the last midnight in the zone of the service."""
    states = [subscriber.state for subscriber in app.store.subscribers()]
    here = zone(app.config.service.timezone)
    midnight = datetime.combine(now.astimezone(here), time(), here)
    back = app.store.returned(midnight)
    days = by_day(app, now)
    return {
        "sources": source_reports(app, now),
        "subscribers": {state: states.count(state) for state in sorted(set(states))},
        "since": midnight,
        "deliveries": dict(app.store.deliveries_by_state(midnight)),
        "held": len(app.store.ledger_rows(MOST_HELD, state=DeliveryState.HELD)),
        "bounced": back.get(What.HARD, 0) + back.get(What.SOFT, 0),
        "complaints": back.get(What.COMPLAINT, 0) + back.get(What.OPT_OUT, 0),
        "oldest_waiting_at": app.store.oldest_waiting_at(),
        "receivers": {day: dict(counts) for day, counts in days.items()},
        "warnings": [said for counts in days.values() for said in near_bulk(counts)],
        "next_attempt_at": app.store.next_attempt_at(),
        "workers": _workers(app.store.beats(), now),
        "service": {topic: asdict(one) for topic, one in app.store.noted_states().items()},
    }


def _print_report(report: dict[str, Any], timezone: str) -> None:
    print_sources(report["sources"], timezone)
    say()
    say(f"subscribers: {_counts(report['subscribers'])}")
    say(f"digests since {report['since']:%Y-%m-%d %H:%M %Z}: {_counts(report['deliveries'])}")
    if report["held"]:
        say(f"held for your word: {report['held']:,}; see `digest held list`")
    if report["bounced"] or report["complaints"]:
        say(f"bounces since then: {report['bounced']:,}; complaints: {report['complaints']:,}")
    if report["next_attempt_at"]:
        oldest = report["oldest_waiting_at"]
        since = f" since {local_minute(oldest, timezone)}" if oldest else ""
        again = local_minute(report["next_attempt_at"], timezone)
        say(f"mails wait{since}; next try: {again}")
    _print_receivers(report["receivers"], report["warnings"])
    _print_workers(report["workers"], timezone)
    _print_service(report["service"], timezone)


def _workers(beats: Sequence[WorkerBeat], now: datetime) -> dict[str, dict[str, Any]]:
    """Each worker that has not ended in order: its last sign of life, when it ended which step."""
    alive = living(beats, now)
    return {
        beat.worker: {
            "alive": beat.worker in alive,
            "seen_at": beat.ended_at,
            "steps": {
                one.step: one.ended_at
                for one in beats
                if one.worker == beat.worker and one.step != ALIVE and one.ended_at
            },
        }
        for beat in beats
        if beat.step == ALIVE and beat.ended_at
    }


def _print_workers(workers: Mapping[str, dict[str, Any]], timezone: str) -> None:
    """Who shares the work, and what each did last; nothing where one process does all."""
    if not workers:
        return
    rows = [
        (
            name,
            "lives" if one["alive"] else "gives no sign of life",
            local_minute(one["seen_at"], timezone),
            ", ".join(sorted(one["steps"], key=one["steps"].__getitem__, reverse=True)),
        )
        for name, one in workers.items()
    ]
    say()
    print_table(("worker", "state", "last seen", "ran, the last first"), rows)


def _print_receivers(days: Mapping[str, Mapping[str, int]], warnings: Sequence[str]) -> None:
    """Messages of today and yesterday by who took them, and who may soon mind."""
    names = sorted({*days["today"], *days["yesterday"]}, key=lambda one: _most(days, one))
    if names:
        say()
        rows = [(one, *(days[day].get(one, 0) for day in days)) for one in names[:RECEIVERS]]
        if rest := names[RECEIVERS:]:
            sums = (sum(days[day].get(one, 0) for one in rest) for day in days)
            rows.append((f"{len(rest):,} others", *sums))
        print_table(("messages to", *days), rows)
    for said in warnings:
        say(said)


def _most(days: Mapping[str, Mapping[str, int]], name: str) -> tuple[int, str]:
    """What puts the receivers of the most messages first."""
    return -max(counts.get(name, 0) for counts in days.values()), name


def _print_service(states: Mapping[str, dict[str, Any]], timezone: str) -> None:
    """What the running service has to say of itself; nothing where all is well."""
    for one in states.values():
        say(f"the service says since {local_minute(one['since'], timezone)}:")
        for said in one["says"]:
            say(f"  {said}")


def _counts(states: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "none"
