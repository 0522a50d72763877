"""Sources, deliveries and the system, as the operator sees them, and what can be done there."""

from __future__ import annotations

import json
import logging
import platform
import shutil
import sqlite3
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest import __version__
from digest.model import MOVES, DeliveryState
from digest.schedule import zone
from digest.standing import state_of, stood, told
from digest.web.admin.entry import mark, number_of
from digest.web.site import Visit

logger = logging.getLogger("digest")

MOST = 25
"""Deliveries of a page: with their buttons and replies they fit into 50 kB."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)


def list_sources(visit: Visit) -> Response:
    """Each source of the config: how it stands, its last run, its error."""
    config, store = visit.app.config, visit.app.store
    zone_name = config.service.timezone
    today = visit.now.astimezone(zone(zone_name)).date()
    runs = {name: stood(run, visit.now) for name, run in store.latest_runs().items()}
    says = {
        name: f"{name} {state}." if (state := state_of(run, today, zone_name)) else told(run, today)
        for name, run in runs.items()
    }
    return visit.site.page(
        "admin_sources.html",
        sources=config.sources,
        runs=runs,
        says=says,
        successes={one.name: store.last_success_at(one.name) for one in config.sources},
        done="It is being read; look again in a moment."
        if visit.request.query_params.get("done") == "read"
        else "",
        mark=mark(visit),
    )


def read_source(visit: Visit) -> Response:
    """Let a source be read now."""
    name = str(visit.form.get("source", ""))
    if name not in {source.name for source in visit.app.config.sources}:
        raise HTTPException(404)
    visit.site.read_now(name)
    logger.info("admin.read %s", json.dumps({"source": name}))
    return visit.site.redirect("/admin/sources?done=read")


def list_deliveries(visit: Visit) -> Response:
    """Deliveries of a day and in a state, the newest first."""
    asked = visit.request.query_params
    state = next((one for one in DeliveryState if one == asked.get("state")), None)
    day = _day(asked.get("day", ""))
    before = asked.get("before", "")
    below = int(before) if before.isdecimal() and len(before) < 19 else None
    rows = visit.app.store.ledger_rows(MOST + 1, day=day, state=state, before=below)
    return visit.site.page(
        "admin_deliveries.html",
        rows=rows[:MOST],
        more=len(rows) > MOST,
        day=day,
        state=state,
        states=list(DeliveryState),
        counts=visit.app.store.deliveries_by_state(EVER),
        retries={DeliveryState.DEFERRED, DeliveryState.HELD},
        cancels={one for one, moves in MOVES.items() if DeliveryState.CANCELLED in moves},
        done={"yes": "Done.", "no": "That is no move any more; nothing was changed."}.get(
            asked.get("done", ""), ""
        ),
        mark=mark(visit),
    )


def change_delivery(visit: Visit) -> Response:
    """Retry or cancel, as the pressed button says."""
    store, number = visit.app.store, number_of(visit)
    verbs = {"retry": store.retry_delivery, "cancel": store.cancel_delivery}
    action = str(visit.request.path_params["action"])
    if action not in verbs:
        raise HTTPException(404)
    done = verbs[action](number, visit.now)
    logger.info("admin.%s %s", action, json.dumps({"delivery": number, "done": done}))
    kept = {name: str(visit.form.get(name, ""))[:20] for name in ("day", "state")}
    return visit.site.redirect(
        f"/admin/deliveries?{urlencode(kept | {'done': 'yes' if done else 'no'})}"
    )


def show_system(visit: Visit) -> Response:
    """Version, counts, steps and disk."""
    app, store = visit.app, visit.app.store
    disk = shutil.disk_usage(app.folder)
    pulse = visit.site.pulse
    facts = {
        "Version": f"{__version__}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}",
        "Listings": f"{store.counted_listings():,}",
        "Subscribers": _counts(store.subscribers_by_state()),
        "Digests of 30 days": _counts(store.deliveries_by_state(EVER)),
        "Database": f"{store.stored_bytes() / 1e6:,.1f} MB",
        "Disk": f"{disk.free / 1e9:,.1f} GB of {disk.total / 1e9:,.1f} GB free",
        "Settings": f"in force since {pulse.settings_at:%Y-%m-%d %H:%M} UTC"
        if pulse.settings_at
        else "as at the start",
        **({"Workers": ", ".join(pulse.workers)} if pulse.workers else {}),
        **({"At the next start": ", ".join(pulse.later)} if pulse.later else {}),
    }
    return visit.site.page(
        "admin_system.html",
        facts=facts,
        beats={
            name: (beat, beat.age_s(visit.now)) for name, beat in visit.site.pulse.beats.items()
        },
        troubles=visit.site.pulse.troubles(visit.now),
        faults=visit.site.pulse.faults,
        mark=mark(visit),
    )


def _counts(states: Mapping[Any, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "none"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
