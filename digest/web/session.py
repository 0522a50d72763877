"""Who is at their preferences: a link from the mail, used once, becomes a short session.

The link is only looked at with GET; pressing the button on its page uses it (U2, T2). The session
is a signed cookie that scripts cannot read and other sites cannot send.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.model import Origin, Subscriber, SubscriberState
from digest.signup import LINKS_PER_DAY, MANAGE_WITHIN, SESSION_FOR, is_within
from digest.tokens import MANAGE, SESSION
from digest.web.site import Handler, Visit

COOKIE = "digest_session"

Personal = Callable[[Visit, Subscriber], Response]
"""A handler of a page that only one person may see."""


def show_link(visit: Visit) -> Response:
    """The page behind a link from the mail: a button, or the way to a fresh link."""
    one = _holder(visit)
    here = reader(visit)
    if one and here and one.id == here.id:
        return visit.site.redirect("/preferences")
    return visit.site.page("manage.html") if one and not _is_used(visit) else _no_longer(visit)


def open_session(visit: Visit) -> Response:
    """Use the link, and begin a session."""
    one = _holder(visit)
    if one is None or not visit.app.store.use_link(_names(visit), visit.now):
        return _no_longer(visit)
    answer = visit.site.redirect("/preferences")
    answer.set_cookie(
        COOKIE,
        visit.app.tokens.issue(SESSION, one.id, visit.now),
        max_age=int(SESSION_FOR.total_seconds()),
        path=visit.site.prefix or "/",
        secure=visit.site.is_secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def close_session(visit: Visit) -> Response:
    """Forget the session in this browser."""
    return signed_out(visit, visit.site.page("signed_out.html"))


def signed_out(visit: Visit, answer: Response) -> Response:
    """An answer that takes the cookie away."""
    answer.delete_cookie(COOKIE, path=visit.site.prefix or "/")
    return answer


def ask_fresh(visit: Visit) -> Response:
    """Mail a fresh link to the holder of an old one; the answer is the same for every token."""
    issued = visit.app.tokens.read(MANAGE, visit.token)
    one = visit.app.store.subscriber_by_id(issued.subject) if issued else None
    if one and one.state in {SubscriberState.ACTIVE, SubscriberState.PAUSED}:
        address = visit.app.tokens.address(one.email)
        domain = visit.app.frame.sender[1].rpartition("@")[2]
        visit.app.store.ask_for_link(one, address, domain, LINKS_PER_DAY, visit.now)
        visit.site.wake()
    return visit.site.page("link_sent.html")


def reader(visit: Visit) -> Subscriber | None:
    """Whose session this request is in."""
    issued = visit.app.tokens.read(SESSION, visit.request.cookies.get(COOKIE, ""))
    if issued is None or not is_within(issued.at, visit.now, SESSION_FOR):
        return None
    one = visit.app.store.subscriber_by_id(issued.subject)
    return None if one is None or one.state is SubscriberState.REMOVED else one


def personal(handler: Personal) -> Handler:
    """A handler that only the person of a session reaches; a form needs the session's mark (T4)."""

    def guarded(visit: Visit) -> Response:
        one = reader(visit)
        if one is None:
            return visit.site.page("no_session.html", 401)
        if visit.request.method == "POST":
            sent = str(visit.form.get("mark", ""))
            if not hmac.compare_digest(sent.encode(), form_mark(visit).encode()):
                raise HTTPException(403)
        return handler(visit, one)

    guarded.__name__ = handler.__name__
    return guarded


def own(handler: Personal) -> Handler:
    """The same for what changes settings: those of the config file are changed there."""

    def kept(visit: Visit, one: Subscriber) -> Response:
        if one.origin is Origin.FILE:
            raise HTTPException(403)
        return handler(visit, one)

    kept.__name__ = handler.__name__
    return personal(kept)


def form_mark(visit: Visit) -> str:
    """What proves that a form came from a page of this very session."""
    return visit.app.tokens.fingerprint(f"form of {visit.request.cookies.get(COOKIE, '')}")


def _holder(visit: Visit) -> Subscriber | None:
    """Whose link this is, if it is not too old."""
    issued = visit.app.tokens.read(MANAGE, visit.token)
    if issued is None or not is_within(issued.at, visit.now, MANAGE_WITHIN):
        return None
    one = visit.app.store.subscriber_by_id(issued.subject)
    return None if one is None or one.state is SubscriberState.REMOVED else one


def _is_used(visit: Visit) -> bool:
    return visit.app.store.is_link_used(_names(visit))


def _names(visit: Visit) -> list[str]:
    """The link as the store may know it: nobody opens a session with what stands there.

    One for each secret, so that a link stays used when a new secret comes.
    """
    return visit.app.tokens.fingerprints(f"link {visit.token}")


def _no_longer(visit: Visit) -> Response:
    here = f"{visit.site.prefix}/preferences/{visit.token}"
    return visit.site.page("manage_old.html", 410, here=here)
