"""What the sources brought and how they stand, for the person in front: tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from digest.app import App
from digest.cli.saying import print_table, say
from digest.model import Source, SourceRun, Standing
from digest.schedule import zone
from digest.standing import state_of, stood, summed, told

RECENT = timedelta(days=1)
"""Over so long the status adds up what a source brought."""

STATES = {
    Standing.ON_TIME: "ok",
    Standing.REST: "resting",
    Standing.DUE: "due",
    Standing.LATE: "late",
    Standing.REPEATED: "repeated",
    Standing.SILENT: "silent",
}


RARE = ("revised", "undated")
"""Counts that have a column only where there is something to count."""


def run_reports(app: App, runs: Sequence[SourceRun], now: datetime) -> list[dict[str, Any]]:
    """Of each of these runs what it brought, how its source stands and what to say."""
    timezone = app.config.service.timezone
    named = {source.name: source for source in app.config.sources}
    stands = [stood(run, now) for run in runs]
    return [
        _report(named[run.source], run, now)
        | {"says": _sentence(run, _today(now, timezone), timezone)}
        for run in stands
    ]


def print_runs(reports: Sequence[dict[str, Any]]) -> None:
    """Print what each source brought just now, then of each that rests or is behind why."""
    rare = [name for name in RARE if any(one[name] for one in reports)]
    counts = ["read", "new", "known_already", "too_old", *rare]
    last = ["announced", "list_on", "state"]
    titles = {"known_already": "known already", "too_old": "too old", "list_on": "list of"}
    print_table(
        ["source", *(titles.get(name, name) for name in (*counts, *last))],
        [[_cell(one[name]) for name in ("source", *counts, *last)] for one in reports],
    )
    for one in reports:
        if not one["error"] and one["state"] != STATES[Standing.ON_TIME]:
            say(one["says"])


def _cell(value: object) -> object:
    return "–" if value is None else value


def source_reports(app: App, now: datetime) -> list[dict[str, Any]]:
    """Of each source of the config what it brought within a day, how it stands and what to say."""
    latest, successes = app.store.latest_runs(), app.store.successes(now - RECENT)
    today, timezone = _today(now, app.config.service.timezone), app.config.service.timezone
    reports = []
    for source in app.config.sources:
        run = latest.get(source.name)
        total = summed(stood(run, now), successes.get(source.name, ())) if run else None
        said = _sentence(total, today, timezone) if total else ""
        success_at = app.store.last_success_at(source.name)
        reports.append(_report(source, total, now) | {"last_success_at": success_at, "says": said})
    return reports


def _report(source: Source, run: SourceRun | None, now: datetime) -> dict[str, Any]:
    """The facts of one source."""
    total = run or SourceRun(source.name, now)
    return {
        "source": source.name,
        "kind": source.kind,
        "state": _state(run) if run else "never read",
        "last_run_at": run.started_at if run else None,
        "announced": total.announced,
        "read": total.read,
        "new": total.new,
        "known_already": total.joined,
        "too_old": total.too_old,
        "revised": total.revised,
        "undated": total.undated,
        "list_on": total.batch_on,
        "newest_list_on": total.list_on,
        "failing_since": total.failing_since,
        "retry_at": total.retry_at,
        "error": total.error,
    }


def print_sources(reports: Sequence[dict[str, Any]], timezone: str) -> None:
    """Print these reports as a table, then a sentence for each source that is not simply well."""
    print_table(
        ("source", "kind", "read", "new", "last success", "state"),
        [
            (
                one["source"],
                one["kind"],
                one["read"],
                one["new"],
                local_minute(one["last_success_at"], timezone),
                one["state"],
            )
            for one in reports
        ],
    )
    for one in reports:
        if one["says"] and one["state"] != STATES[Standing.ON_TIME]:
            say(one["says"])


def local_minute(at: datetime | None, timezone: str) -> str:
    """A time to the minute in a zone, which is named; or a dash."""
    return f"{at.astimezone(zone(timezone)):%Y-%m-%d %H:%M %Z}" if at else "–"


def _state(run: SourceRun) -> str:
    """One word for how a source stands."""
    if run.error:
        return "in part" if run.partly else "failed"
    return STATES[run.standing]


def _sentence(run: SourceRun, today: date, timezone: str) -> str:
    state = state_of(run, today, timezone)
    return f"{run.source} {state}." if state else f"{told(run, today)}."


def _today(now: datetime, timezone: str) -> date:
    return now.astimezone(zone(timezone)).date()
