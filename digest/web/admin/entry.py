"""The way in: this machine, or the token once and a session of eight hours after it."""

from __future__ import annotations

import hmac
import json
import logging
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.signup import is_within, network_of
from digest.web.doors import is_here, is_token, read_token
from digest.web.limiter import Limiter
from digest.web.site import Handler, Site, Visit

logger = logging.getLogger("digest")

COOKIE = "digest_admin"
LASTS = timedelta(hours=8)
TRIES, TRIES_SPAN = 10, timedelta(hours=1)
"""Wrong tokens from one network, and from everybody ten times as many."""


class Entry:
    """Who may see the admin pages of a site. Raises: ConfigError when the token cannot be used."""

    def __init__(self, site: Site) -> None:
        self.token = read_token(site.app.config, "admin_token_file")
        # Another token ends the sessions that the one before has opened.
        self._purpose = f"admin {site.app.tokens.fingerprint(f'admin {self.token}')[:16]}"
        self._tries = Limiter(TRIES, TRIES_SPAN)
        self._all_tries = Limiter(10 * TRIES, TRIES_SPAN)

    def ask(self, visit: Visit) -> Response:
        """The page that asks for the token; those who are in go on."""
        if self._is_in(visit):
            return visit.site.redirect("/admin/sources")
        if not self.token:
            raise HTTPException(404)
        return visit.site.page("admin_enter.html", 401, fault="")

    def enter(self, visit: Visit) -> Response:
        """Open a session for the right token."""
        if not self.token:
            raise HTTPException(404)
        network = network_of(visit.client)
        if self._tries.wait_s(network, visit.now) or self._all_tries.wait_s("", visit.now):
            logger.warning("admin.limited %s", _details(visit))
            return visit.site.problem(429)
        if not is_token(str(visit.form.get("token", "")).strip(), self.token):
            logger.warning("admin.refused %s", _details(visit))
            return visit.site.page("admin_enter.html", 401, fault="That is not the token.")
        logger.info("admin.entered %s", _details(visit))
        answer = visit.site.redirect("/admin/sources")
        answer.set_cookie(
            COOKIE,
            visit.app.tokens.issue(self._purpose, 0, visit.now),
            max_age=int(LASTS.total_seconds()),
            path=f"{visit.site.prefix}/admin",
            secure=visit.site.is_secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    def leave(self, visit: Visit) -> Response:
        """Forget the session in this browser."""
        answer = visit.site.redirect("/admin")
        answer.delete_cookie(COOKIE, path=f"{visit.site.prefix}/admin")
        return answer

    def guarded(self, handler: Handler) -> Handler:
        """A handler for who is in; a form needs the session's mark (T4)."""

        def kept(visit: Visit) -> Response:
            if not self._is_in(visit):
                if self.token and visit.request.method == "GET":
                    return visit.site.redirect("/admin")
                raise HTTPException(401 if self.token else 404)
            if visit.request.method == "POST":
                sent = str(visit.form.get("mark", ""))
                if not hmac.compare_digest(sent.encode(), mark(visit).encode()):
                    raise HTTPException(403)
            return handler(visit)

        kept.__name__ = handler.__name__
        return kept

    def _is_in(self, visit: Visit) -> bool:
        if not self.token:
            return is_here(visit)
        issued = visit.app.tokens.read(self._purpose, visit.request.cookies.get(COOKIE, ""))
        return issued is not None and is_within(issued.at, visit.now, LASTS)


def mark(visit: Visit) -> str:
    """What proves that a form came from a page of this very session."""
    return visit.app.tokens.fingerprint(f"admin form of {visit.request.cookies.get(COOKIE, '')}")


def number_of(visit: Visit) -> int:
    """The number of a row in the path. Raises: HTTPException 404 for one that no row can have."""
    number = int(visit.request.path_params["number"])
    if number >= 2**63:
        raise HTTPException(404)
    return number


def _details(visit: Visit) -> str:
    """Who tried, as the log may name them."""
    network = visit.app.tokens.fingerprint(f"network {network_of(visit.client)}")
    return json.dumps({"network": network[:12]})
