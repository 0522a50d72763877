"""What a request may be and what every answer says: sizes, encodings, origins, headers.

Owns the limits of bodies and the security headers. Knows no page.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.message import Message
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import FormData, Headers, MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Event

LARGEST_BODY = 64 * 1024
"""Octets of a request: 500 keywords fit ten times (T9)."""

MOST_FIELDS = 1_200
"""Fields of a form: a row of two for each of the 500 keywords, and the settings."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer; one that may be kept says so itself (T3, T8)."""


WITH_SCRIPT = {
    "content-security-policy": (
        f"{HEADERS['content-security-policy']}; script-src 'self'; connect-src 'self'"
    )
}
"""On the two pages whose keyword rows have a script, of our own file; no other page runs any."""


class SafeHeaders:
    """Puts the security headers on every answer, also on those that refuse a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to its answer what is missing there."""

        async def send_safely(event: Event) -> None:
            if event["type"] == "http.response.start":
                headers = MutableHeaders(scope=event)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(event)

        await self.app(scope, receive, send_safely if scope["type"] == "http" else send)


async def read_body(request: Request) -> bytes:
    """The whole body. Raises: HTTPException 413 as soon as it grows too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    return bytes(body)


async def read_form(headers: Headers, body: bytes) -> FormData:
    """The fields of a form, urlencoded or multipart, in UTF-8.

    Raises: HTTPException 400 for what cannot be read, 415 for any other kind of body.
    """
    kind = Message()
    kind["content-type"] = headers.get("content-type", "")
    if str(kind.get_param("charset", "utf-8")).lower() not in {"utf-8", "utf8"}:
        raise HTTPException(400)
    if not body:
        return FormData()
    match kind.get_content_type():
        case "application/x-www-form-urlencoded":
            return _urlencoded(body)
        case "multipart/form-data":
            return await _multipart(headers, body)
    raise HTTPException(415)


def _urlencoded(body: bytes) -> FormData:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:  # no ASCII, no UTF-8 behind the percent signs, or too many fields
        raise HTTPException(400) from None
    return FormData([*pairs])


async def _multipart(headers: Headers, body: bytes) -> FormData:
    async def stream() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(
        headers,
        stream(),  # type: ignore[arg-type]  # an async generator, whatever its annotation
        max_files=1,
        max_fields=MOST_FIELDS,
        max_part_size=LARGEST_BODY,
    )
    try:
        sent = await parser.parse()
        return FormData([(name, await _text(value)) for name, value in sent.multi_items()])
    except (MultiPartException, KeyError, ValueError):
        raise HTTPException(400) from None


async def _text(value: str | UploadFile) -> str:
    """A field, or an uploaded file, as text. Raises: ValueError when it is not UTF-8."""
    if isinstance(value, str):
        return value
    try:
        return (await value.read()).decode("utf-8")
    finally:
        await value.close()


def is_cross_site(headers: Headers, base_url: str) -> bool:
    """Whether a form was sent from another site's page (T4).

    Browsers say so in Sec-Fetch-Site over https and on loopback; Origin is asked where they do not.
    A page with `no-referrer` sends the Origin `null`, and a client that is no browser sends none:
    neither carries a person's cookies across sites, and forms that rely on a cookie bear a token.
    Source: Fetch Metadata (W3C), Fetch standard 3.1.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin", "null")
    return origin != "null" and origin != origin_of(base_url)


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as browsers write them: lower case, usual ports left out."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = f":{parts.port}" if parts.port not in {None, usual} else ""
    return f"{parts.scheme}://{host}{port}"
