"""The paths of the API on a site."""

from __future__ import annotations

import json
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digest.config import Web
from digest.web.api import own, reading
from digest.web.api.document import document
from digest.web.api.endpoint import Endpoint, Gate
from digest.web.site import Endpoint as Page
from digest.web.site import Site

ROOT = "/api"
OPERATIONS = (*reading.OPERATIONS, *own.OPERATIONS)


def api_routes(site: Site) -> list[BaseRoute]:
    """Every path of the API, and its document."""
    gate = _gate(site.app.config.web)
    by_path = groupby(sorted(OPERATIONS, key=lambda one: one.path), key=lambda one: one.path)
    endpoints = ((path, Endpoint(gate, tuple(operations))) for path, operations in by_path)
    return [
        Route(f"{ROOT}/openapi.json", _document(site), methods=["GET"]),
        *(
            Route(f"{ROOT}{path}", endpoint.__call__, methods=list(endpoint.operations))
            for path, endpoint in endpoints
        ),
    ]


def _gate(web: Web) -> Gate:
    return Gate(web.api_per_key, web.api_per_network)


def _document(site: Site) -> Page:
    """The endpoint of the document, made once."""
    made = document(OPERATIONS, site.app.frame.service_name, site.prefix + ROOT)
    text = json.dumps(made, ensure_ascii=False)

    async def endpoint(request: Request) -> Response:
        return Response(text, media_type="application/json")

    return endpoint
