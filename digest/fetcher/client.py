"""Polite, guarded HTTP: one GET for one request of a source.

Follows at most five redirects and checks each; limits time, size and pace; asks conditionally;
ignores proxies, .netrc and cookies. On failure it raises `FetchError` with what to remember.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver

from digest.errors import SourceError
from digest.fetcher.guard import Guard, RefusedError
from digest.fetcher.memory import Remembered, asked_wait_s
from digest.fetcher.pace import Pace
from digest.fetcher.turns import LocalTurns, utc_now
from digest.model import Source
from digest.sources import Request
from digest.text import printable

_MOVED = frozenset({301, 302, 303, 307, 308})
_MOVED_FOR_GOOD = frozenset({301, 308})
_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may take: seconds to connect and in all, bytes after decompression, hops."""

    connect_s: float = 5
    total_s: float = 30
    max_bytes: int = 5_000_000
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: `body` is None when nothing changed; `url` is where it came from."""

    body: bytes | None
    remember: Remembered
    url: str = ""
    content_type: str = ""


class FetchError(SourceError):
    """A fetch failed; `remember` is to be stored, so that the next one waits and starts right."""

    def __init__(self, source: str, message: str, remember: Remembered) -> None:
        super().__init__(source, message)
        self.remember = remember


class _FailedError(Exception):
    """An answer that is no success; `asked_s` is the wait that the server asked for."""

    def __init__(
        self, reason: str, asked_s: float | None = None, *, gone: bool = False, busy: bool = False
    ) -> None:
        super().__init__(reason)
        self.asked_s = asked_s
        self.gone = gone
        self.busy = busy


class _Budget:
    """The seconds that one fetch has for all its hops; waiting for a turn costs nothing."""

    def __init__(self, total_s: float) -> None:
        self._left_s = total_s

    @asynccontextmanager
    async def spend(self) -> AsyncIterator[None]:
        """Time that counts. Raises: TimeoutError when the budget is spent."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with asyncio.timeout(self._left_s):
            yield
        self._left_s -= loop.time() - started


class Fetcher:
    """Fetches for sources; an async context manager. Safe for many fetches at once.

    `user_agent` names the program and a contact. `allowed_hosts` opens internal hosts, as `host`
    or `host:port`. `pace` gives the turns; without it they are this fetcher's own.
    """

    def __init__(  # noqa: PLR0913  # each but the first has a default that suits production
        self,
        user_agent: str,
        *,
        allowed_hosts: Collection[str] = (),
        limits: Limits | None = None,
        clock: Callable[[], datetime] = utc_now,
        pace: Pace | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._user_agent = user_agent
        self._limits = limits or Limits()
        self._clock = clock
        self._pace = pace or Pace(LocalTurns())  # it waits in real time, whatever the clock says
        self._allowed_hosts = allowed_hosts
        self._resolver = resolver
        self._tls = tls

    async def __aenter__(self) -> Self:
        """Open the session; nothing is asked yet."""
        self._guard = Guard(self._resolver or aiohttp.ThreadedResolver(), self._allowed_hosts)
        connector = aiohttp.TCPConnector(
            resolver=self._guard,
            use_dns_cache=False,  # each connection goes to addresses checked for it
            ssl=self._tls or True,
            force_close=True,
        )
        limits = self._limits
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_s),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip, deflate"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the session."""
        await self._session.close()

    async def fetch(
        self, source: Source, request: Request, remembered: Remembered | None = None
    ) -> Fetched:
        """What a request brings. Raises: FetchError, and nothing else."""
        memory = remembered or Remembered()
        if memory.waits(self._clock()):
            raise FetchError(source.name, _still_waiting(memory), memory)
        try:
            return await self._follow(request, memory)
        except (_FailedError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            failed = fault if isinstance(fault, _FailedError) else None
            reason = f"{_shown(request.url)}: {self._reason(fault)}"
            asked_s, gone = (failed.asked_s, failed.gone) if failed else (None, False)
            later = memory.after_failure(
                self._clock(), reason, asked_s, gone=gone, unanswered=_is_silence(fault)
            )
            raise FetchError(source.name, reason, later) from None

    async def _follow(self, request: Request, memory: Remembered) -> Fetched:
        """The body at the end of the redirects."""
        url = memory.moved_to or request.url
        moved_to, for_good = memory.moved_to, True
        budget = _Budget(self._limits.total_s)
        for _ in range(self._limits.redirects + 1):
            answer = await self._ask(url, request.accept, memory, budget)
            if isinstance(answer, Fetched):
                remember = replace(answer.remember, moved_to=moved_to)
                return replace(answer, remember=remember)
            status, target = answer
            for_good = for_good and status in _MOVED_FOR_GOOD
            url = target
            moved_to = url if for_good else moved_to
        raise _FailedError(f"more than {self._limits.redirects} redirects")

    async def _ask(
        self, url: str, accept: str, memory: Remembered, budget: _Budget
    ) -> Fetched | tuple[int, str]:
        """One GET in the host's turn: what was fetched, or the status and target of a redirect."""
        checked = self._guard.checked(url)
        headers = {"Accept": accept, **_conditions(url, memory)}
        async with (
            self._pace.turn(checked.host or ""),
            budget.spend(),
            self._session.get(checked, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status in _MOVED:
                return answer.status, _target(url, answer)
            if answer.status == 304 and (memory.etag or memory.last_modified):
                return Fetched(None, replace(_recovered(memory), seen_url=url), url)
            self._check_status(answer)
            body = await self._read(answer)
            return Fetched(body, _memory(url, answer), url, answer.content_type)

    def _check_status(self, answer: aiohttp.ClientResponse) -> None:
        """Pass a 200. Raises: _FailedError with the wait that the server asks for."""
        if answer.status == 200:
            return
        reason = f"answered {answer.status} {answer.reason or ''}".strip()
        if answer.status == 410:
            raise _FailedError(f"{reason}: the source is gone for good; remove it", gone=True)
        asked = answer.headers.get("Retry-After") if answer.status in _BUSY else None
        busy = answer.status in _BUSY or answer.status >= 500
        raise _FailedError(reason, asked_wait_s(asked, self._clock()), busy=busy)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """The whole body, decompressed piece by piece within the limit."""
        body = bytearray()
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > self._limits.max_bytes:
                raise _FailedError(f"more than {self._limits.max_bytes:,} bytes")
        if not body.strip():
            raise _FailedError("answered 200 with an empty body")
        return bytes(body)

    def _reason(self, fault: BaseException) -> str:
        """The fault on one line."""
        reason = str(fault) or type(fault).__name__
        match fault:
            case aiohttp.ConnectionTimeoutError():
                reason = f"no connection within {self._limits.connect_s:g} s"
            case TimeoutError():
                reason = f"no whole answer within {self._limits.total_s:g} s"
            case RefusedError():
                reason = f"refused: {fault}"
            case aiohttp.ClientConnectorError():
                reason = no_connection(fault)
            case aiohttp.ClientResponseError():
                reason = f"the answer is no HTTP ({fault.message})"  # its text shows the query
            case aiohttp.ClientPayloadError():
                reason = f"the answer is cut off or wrongly packed ({fault})"
        return printable(reason, 300)


def _is_silence(fault: BaseException) -> bool:
    """True where nothing came back, or word that the server is busy; not for a refusal."""
    match fault:
        case _FailedError():
            return fault.busy
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return False
        case aiohttp.ClientConnectorError():
            return not isinstance(fault.os_error, RefusedError)
    return isinstance(fault, TimeoutError | aiohttp.ClientConnectionError)


def no_connection(fault: aiohttp.ClientConnectorError) -> str:
    """Why there was no connection, without the library's own words."""
    match fault:
        case aiohttp.ClientConnectorCertificateError():
            return f"its TLS certificate is not valid ({fault.certificate_error})"
        case _ if isinstance(fault.os_error, RefusedError):
            return f"refused: {fault.os_error}"
        case aiohttp.ClientConnectorDNSError():
            return f"no address is known for {fault.host}"
        case aiohttp.ClientConnectorSSLError():
            return f"no TLS connection to {fault.host}:{fault.port} ({fault.os_error.strerror})"
    return f"no connection to {fault.host}:{fault.port} ({fault.strerror})"


def _conditions(url: str, memory: Remembered) -> dict[str, str]:
    """The headers that ask only for what changed; they belong to one URL."""
    if memory.seen_url != url:
        return {}
    headers = {"If-None-Match": memory.etag, "If-Modified-Since": memory.last_modified}
    return {name: value for name, value in headers.items() if value}


def _memory(url: str, answer: aiohttp.ClientResponse) -> Remembered:
    """What to remember of a success."""
    return Remembered(
        etag=answer.headers.get("ETag", "")[:500],
        last_modified=answer.headers.get("Last-Modified", "")[:100],
        seen_url=url,
    )


def _recovered(memory: Remembered) -> Remembered:
    """The memory without its failures."""
    well = replace(memory, retry_at=None, failing_since=None, failures=0, gone=False, fault="")
    return replace(well, unanswered=False)


def _target(url: str, answer: aiohttp.ClientResponse) -> str:
    """Where a redirect leads. Raises: _FailedError."""
    location = answer.headers.get("Location", "")
    if not location:
        raise _FailedError(f"answered {answer.status} without saying where to")
    return urljoin(url, location)


def _still_waiting(memory: Remembered) -> str:
    """Why nothing is asked now: what failed, and until when it is left in peace."""
    again = f"{memory.retry_at:%Y-%m-%d %H:%M} UTC"
    since = f"{memory.failing_since:%Y-%m-%d %H:%M} UTC" if memory.failing_since else ""
    if memory.gone:
        return f"gone for good since {since}; it is asked once more after {again}"
    return f"{memory.fault or f'no answer since {since}'}; not asked before {again}"


def _shown(url: str) -> str:
    """The address without its query, which may hold a key."""
    return url.partition("?")[0][:200]
