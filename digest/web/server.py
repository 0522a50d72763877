"""The site on a socket: uvicorn in the event loop of the service.

Owns how the server is set up. Signals stay with the scheduler; which client asks is taken from
`X-Forwarded-For` only behind a proxy that the config names (T7).
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from digest.config import Web
from digest.errors import DigestError
from digest.web.admin.routing import admin_routes
from digest.web.api.routing import api_routes
from digest.web.health import health_routes
from digest.web.metrics import Measured, make_registry, metrics_routes
from digest.web.routes import routes
from digest.web.site import Site, make_site

logger = logging.getLogger("digest")

GRACE_S = 5
"""Seconds that a stop leaves to requests under way."""


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the scheduler's stop is the only one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(web: Web) -> socket.socket:
    """The socket that the config names, port 0 for any free one.

    Raises: DigestError when it cannot be had.
    """
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    try:
        sock = socket.create_server((web.host, web.port), family=family, backlog=1024)
    except OSError as error:
        raise DigestError(
            f"[web] cannot listen on {web.host} port {web.port}: {error.strerror}; "
            "is another one running there?"
        ) from error
    # asyncio does this for sockets that it opens itself; without it a page waits 40 ms for an ACK.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Application:
    """Every path of the site by the settings in force, measured.

    Raises: ConfigError when a token cannot be used.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._registry = make_registry(site)
        self._of, self._paths = site.app, self._make()
        self._measured = Measured(self._current, self._registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._measured(scope, receive, send)

    async def _current(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on by the settings of now: tokens, limits, proxies and the base URL may change."""
        if self._of is not self._site.app:
            self._of, self._paths = self._site.app, self._make()
        await self._paths(scope, receive, send)

    def _make(self) -> ASGIApp:
        site = self._site
        paths = [
            *api_routes(site),
            *admin_routes(site),
            *health_routes(),
            *metrics_routes(site, self._registry),
            *routes(),  # last: a day of theirs may be any one word
        ]
        made = make_site(site, paths)
        proxies = list(site.app.config.web.trusted_proxies)
        return ProxyHeadersMiddleware(made, proxies) if proxies else made  # type: ignore[arg-type,return-value]  # uvicorn's own ASGI types


async def serve_site(site: Site, sock: socket.socket, stop: asyncio.Event) -> None:
    """Answer requests until `stop` is set; those under way are finished."""
    server = _Server(
        uvicorn.Config(
            Application(site),
            log_config=None,
            access_log=False,  # paths hold tokens
            server_header=False,
            proxy_headers=False,  # the application minds them, as its proxies may change
            timeout_keep_alive=10,
            timeout_graceful_shutdown=GRACE_S,
            limit_concurrency=500,
            lifespan="off",
        )
    )
    host, port = sock.getsockname()[:2]
    logger.info("web.listening %s", json.dumps({"host": host, "port": port}))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    try:
        await serving
    finally:
        site.threads.shutdown(wait=False)
