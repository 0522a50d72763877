"""Whether the pages that every mail links to can be reached, and what time the web says it is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from digest import __version__
from digest.doctor.finding import Finding, error, fine, warning
from digest.fetcher import no_connection
from digest.text import printable

PATIENCE_S = 10.0
MOST_READ = 10_000
SERVERS = 3
"""Servers that are asked for the time: one of them may be wrong."""

OFF, FAR_OFF = timedelta(seconds=60), timedelta(minutes=5)
"""By how much this clock may be wrong. Many logins and signatures bear five minutes."""

RUNNING = "is `digest serve` running, and does the proxy hand the address on to it?"
AGENT = f"paper-digest/{__version__} (doctor)"


async def pages_finding(base_url: str, tls: ssl.SSLContext | None = None) -> Finding:
    """Whether the pages answer under the address that mails name."""
    try:
        async with _session(tls) as session, session.get(f"{base_url}/healthz") as answer:
            body = (await answer.content.read(MOST_READ)).decode("utf-8", "replace")
            status, landed = answer.status, answer.url
    except aiohttp.ClientConnectorError as fault:
        found = printable(f"{base_url} cannot be reached: {no_connection(fault)}")
        return error("web.pages", found, RUNNING)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        why = str(fault) or f"no answer within {PATIENCE_S:g} s"
        found = printable(f"{base_url} cannot be reached: {why}")
        return error("web.pages", found, RUNNING)
    return _answered(base_url, status, body, landed.host or "")


def _answered(base_url: str, status: int, body: str, host: str) -> Finding:
    """What an answer means; `host` is where it came from in the end."""
    if '"status"' not in body or status not in {200, 503}:
        found = f"{base_url}/healthz answers {status}, and not by this service"
        return error("web.pages", found, RUNNING)
    if status == 503:
        found = printable(f"{base_url} answers that something is wrong: {body}")
        return warning("web.pages", found, "look into the log of `digest serve`")
    if host != urlsplit(base_url).hostname:
        found = f"{base_url} leads on to {host}"
        do = "name that in [service] base_url: a one-click unsubscribe follows no redirect"
        return error("web.pages", found, do)
    if base_url.startswith("http:"):
        do = "give the pages an address that readers can reach: [service] base_url, with https"
        return warning("web.pages", f"{base_url} is for this machine alone", do)
    return fine("web.pages", f"{base_url} answers, with a valid certificate")


async def clock_finding(
    urls: Sequence[str], now: datetime, tls: ssl.SSLContext | None = None
) -> Finding:
    """How far this clock is from that of the servers that the sources are on.

    One HEAD for each server, of three at most; the server that agrees most counts.
    """
    asked = list(dict.fromkeys(f"{one.scheme}://{one.netloc}/" for one in map(urlsplit, urls)))
    asked.sort(key=lambda url: "arxiv" in url)  # arXiv wants to be asked as little as can be
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def offset(url: str) -> timedelta | None:
        """How far this clock is ahead of a server's, by its Date."""
        told = await _date(url, tls)
        return now + timedelta(seconds=loop.time() - begun) - told if told else None

    told = await asyncio.gather(*map(offset, asked[:SERVERS]))
    known = [one for one in told if one is not None]
    if not known:
        which = "no server of a source told the time" if asked else "no source is on the web"
        do = "compare it by hand: `date -u`"
        return warning("clock.time", f"the clock was compared with none: {which}", do)
    nearest = min(known, key=abs)
    seconds = round(abs(nearest).total_seconds())
    if abs(nearest) <= OFF:
        return fine("clock.time", f"the clock is right, within {max(seconds, 1)} s")
    found = f"the clock is {seconds:,} s {'ahead' if nearest > timedelta() else 'behind'}"
    do = "let the system keep it right (systemd-timesyncd, chrony)"
    return (error if abs(nearest) > FAR_OFF else warning)("clock.time", found, do)


async def _date(url: str, tls: ssl.SSLContext | None) -> datetime | None:
    """The time that a server says it is, or None."""
    try:
        async with _session(tls) as session, session.head(url, allow_redirects=False) as answer:
            found = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _session(tls: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """A session for one question, without cookies and proxies."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        headers={"User-Agent": AGENT},
        trust_env=False,
    )
