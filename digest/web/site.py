"""What a page needs: the parts of the service, the clock, the templates; and how a page is made.

A handler is a plain function from a visit to an answer. It runs in a thread of the site's own, as
the store waits for its disk; reading the request and sending the answer stay with the event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp

from digest.app import App
from digest.clock import Clock
from digest.errors import DigestError
from digest.forecast import chart
from digest.templates import web_folder
from digest.tex import readable
from digest.web.api.problems import problem
from digest.web.guard import SafeHeaders, is_cross_site, read_body, read_form
from digest.web.pulse import Pulse
from digest.web.settings import LABELS

logger = logging.getLogger("digest")

THREADS = 4
"""Each has a connection to the database of its own; writers wait for each other anyway."""

WORDS = {
    400: "That request could not be read.",
    401: "Your preferences are closed here. The link at the foot of any digest opens them.",
    403: "That form came from another site, so nothing was done. Open the page here and try again.",
    404: "There is no such page.",
    405: "That cannot be done here.",
    413: "That is more than this page takes (64 kB).",
    415: "That is no form.",
    429: "Too many tries. Wait an hour and try again.",
    500: "Something went wrong here. Nothing was lost; the operator finds the reason in the log.",
    503: "The service is busy and could not do that. Please try again in a minute.",
}

FORECASTS = 2
"""Forecasts at a time, the one that is made and those that wait: the other threads stay free."""


def make_pages() -> Environment:
    """The templates of the pages: HTML escaped, every name checked when used."""
    made = Environment(
        loader=FileSystemLoader(web_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["readable"] = readable
    made.filters["chart"] = lambda forecast: Markup(chart(forecast))  # noqa: S704 - numbers alone
    return made


@dataclass(slots=True)
class Site:
    """The pages of one running service; `wake` tells the scheduler that a letter waits.

    `forecasting` is held by the one forecast that is made at a time, `places` are for it and those
    that wait for it. `read_now` lets a source be read, by its name; `pulse` says how the
    scheduler's steps go.
    """

    app: App
    clock: Clock
    wake: Callable[[], None] = lambda: None
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="web")
    )
    pages: Environment = field(default_factory=make_pages)
    forecasting: Lock = field(default_factory=Lock)
    read_now: Callable[[str], None] = lambda name: None
    pulse: Pulse = field(default_factory=Pulse)
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(FORECASTS))

    @property
    def base_url(self) -> str:
        """Where people reach us, as the config has it; the Host of a request is never asked."""
        return self.app.config.service.base_url

    @property
    def prefix(self) -> str:
        """The path of the base URL, without a slash at its end."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def is_secure(self) -> bool:
        """Whether people reach us by https."""
        return self.base_url.startswith("https:")

    def page(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page from its template."""
        frame = self.app.frame
        common = {
            "service": frame.service_name,
            "home": self.prefix,
            "frame": frame,
            "labels": LABELS,
        }
        text = self.pages.get_template(name).render(common | values)
        return HTMLResponse(text, status)

    def problem(self, status: int, words: str = "") -> HTMLResponse:
        """The page of an answer that refuses a request."""
        return self.page("problem.html", status, words=words or WORDS.get(status, WORDS[400]))

    def redirect(self, path: str) -> RedirectResponse:
        """On to another of our pages, to be fetched with GET."""
        return RedirectResponse(self.prefix + path, 303)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: the site, the time, the fields of its form, and the request itself."""

    site: Site
    request: Request
    now: datetime
    form: FormData = field(default_factory=FormData)

    @property
    def app(self) -> App:
        """The parts of the service."""
        return self.site.app

    @property
    def token(self) -> str:
        """The token in the path."""
        return str(self.request.path_params.get("token", ""))

    @property
    def client(self) -> str:
        """The address that asks: behind a configured proxy, the one that the proxy names (T7)."""
        return self.request.client.host if self.request.client else ""


Handler = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def shown(handler: Handler) -> Endpoint:
    """A handler as the endpoint of a page that is only looked at."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        return await _run(handler, Visit(_site(request), request, _site(request).clock()))

    return endpoint


def posted(handler: Handler) -> Endpoint:
    """A handler as the endpoint of a form that came from one of our own pages."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        site = _site(request)
        body = await read_body(request)
        if is_cross_site(request.headers, site.base_url):
            raise HTTPException(403)
        form = await read_form(request.headers, body)
        return await _run(handler, Visit(site, request, site.clock(), form))

    return endpoint


def posted_by_anyone(handler: Handler) -> Endpoint:
    """A handler as the endpoint of a bare POST, whose body is read and counts for nothing (U1)."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        await read_body(request)
        return await _run(handler, Visit(_site(request), request, _site(request).clock()))

    return endpoint


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def _run(handler: Handler, visit: Visit) -> Response:
    """The answer of a handler, made in one of the site's threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(visit.site.threads, handler, visit)


def make_site(site: Site, routes: list[BaseRoute]) -> ASGIApp:
    """The pages as an ASGI application, at the root and below the path of the base URL."""
    made = Starlette(
        routes=[*(_below(site.prefix, routes) if site.prefix else ()), *routes],
        exception_handlers={
            HTTPException: _refused,
            DigestError: _failed,
            Exception: _broken,
        },
    )
    made.router.redirect_slashes = False  # it would lead to where the Host header says (T5)
    made.state.site = site
    return SafeHeaders(made)  # outermost: the answer to a fault of ours bears them too


def _below(prefix: str, routes: list[BaseRoute]) -> list[BaseRoute]:
    """The pages below a path, which leads to the first of them without its slash, too."""
    front = shown(lambda visit: visit.site.redirect("/"))
    pages = Router(routes, redirect_slashes=False)
    return [Mount(prefix, pages), Route(prefix, front, methods=["GET"])]


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    answer = _problem(request, status)
    answer.headers.update((isinstance(error, HTTPException) and error.headers) or {})
    return answer


def _problem(request: Request, status: int) -> Response:
    """A page for people, problem details for programs."""
    site = _site(request)
    path = request.scope["path"].removeprefix(site.prefix)
    return problem(status) if path.startswith("/api/") else site.problem(status)


async def _failed(request: Request, error: Exception) -> Response:
    """A fault that we know, such as a locked database: nothing was done, trying again helps."""
    logger.error("web.failed %s", json.dumps({"reason": str(error)}))
    answer = _problem(request, 503)
    answer.headers["retry-after"] = "60"
    return answer


async def _broken(request: Request, error: Exception) -> Response:
    """A fault of ours; Starlette hands it on to the server's log with its traceback."""
    return _problem(request, 500)
