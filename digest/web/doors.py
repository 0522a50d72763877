"""Who may see what is the operator's: this machine alone, or whoever bears the token.

A request counts as from this machine when it comes from a loopback address, to a loopback name (a
page elsewhere whose name was pointed here asks by its own), and through no proxy. A proxy that says
nothing of itself cannot be told from a person here: where people come by a public address and no
proxy is named in the config, nobody is believed without the token.
"""

from __future__ import annotations

import hmac
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

from digest.config import Config, read_secret
from digest.config.files import SHORTEST_TOKEN
from digest.errors import ConfigError
from digest.web.site import Visit

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which a proxy says that it is one."""


def read_token(config: Config, key: str) -> str:
    """The token in the file that `[web]` names under a key; empty where it names none.

    Raises: ConfigError when the file cannot be used or the token could be guessed.
    """
    path: Path | None = getattr(config.web, key)
    if path is None:
        return ""
    token = read_secret(path)
    if len(token) < SHORTEST_TOKEN:
        raise ConfigError(
            [f"{config.place}: [web] {key}: {path} holds fewer than {SHORTEST_TOKEN} characters"]
        )
    return token


def check_tokens(config: Config) -> None:
    """Nothing, when every token that the config names can be used. Raises: ConfigError."""
    for key in ("admin_token_file", "metrics_token_file"):
        read_token(config, key)


def is_token(given: str, token: str) -> bool:
    """Whether a token is the right one, in constant time."""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def bearer(visit: Visit) -> str:
    """The token in the request's header, or empty."""
    kind, _, token = visit.request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def is_here(visit: Visit) -> bool:
    """Whether a request comes from this very machine."""
    web, headers = visit.app.config.web, visit.request.headers
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    told = bool(web.trusted_proxies) or is_loopback(urlsplit(visit.site.base_url).hostname or "")
    proxied = any(name in headers for name in FORWARDED)
    return told and not proxied and is_loopback(visit.client) and is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
