"""Whether the service lives and is ready: `/healthz/live` and `/healthz`, for watchdogs.

Says what is wrong in a few words and no more: anybody may ask.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digest.errors import StoreError
from digest.web.site import Visit

PATIENCE_S = 5.0
LEAST_FREE = 50 * 1024 * 1024
"""Octets of the disk that must be free: a full one sends nothing, as nothing could be recorded."""


def health_routes() -> list[BaseRoute]:
    """The paths of health."""
    return [
        Route("/healthz", ready, methods=["GET"]),
        Route("/healthz/live", live, methods=["GET"]),
    ]


async def live(request: Request) -> Response:
    """200 as long as the process answers at all."""
    return _answer(200, {"status": "ok"})


async def ready(request: Request) -> Response:
    """200 when the store can be used and the steps run; else 503 with what is wrong."""
    site = request.app.state.site
    visit = Visit(site, request, site.clock())
    loop = asyncio.get_running_loop()
    try:
        reasons = await asyncio.wait_for(
            loop.run_in_executor(site.threads, _store_troubles, visit), PATIENCE_S
        )
    except TimeoutError:
        reasons = [f"the database did not answer within {PATIENCE_S:.0f} s"]
    reasons += site.pulse.troubles(visit.now)
    beats = site.pulse.beats.items()
    told = {
        "status": "failing" if reasons else "ok",
        "reasons": reasons,
        "steps": {name: {"age_s": round(beat.age_s(visit.now))} for name, beat in beats},
    }
    return _answer(503 if reasons else 200, told)


def _store_troubles(visit: Visit) -> list[str]:
    """What is wrong with the store and its disk; its path is nobody's business."""
    try:
        visit.app.store.counted_listings()
        free = shutil.disk_usage(visit.app.folder).free
    except (StoreError, OSError):
        return ["the database cannot be used"]
    return ["the disk is nearly full"] if free < LEAST_FREE else []


def _answer(status: int, told: dict[str, Any]) -> Response:
    return Response(json.dumps(told), status, media_type="application/json")
