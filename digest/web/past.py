"""A reader's own digests: the list, each as a page, and the same for feed readers and libraries.

Everything is made from the ledger, which keeps a digest for 30 days. The private link opens nothing
but these; it works until it is revoked, and no program keeps or indexes what it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from digest.formats import atom_of_days, json_feed_of_days
from digest.model import Delivery, DeliveryState, Subscriber, SubscriberState
from digest.press import printed
from digest.tokens import FEED
from digest.web.guard import HEADERS
from digest.web.session import form_mark
from digest.web.site import Visit

SEEN = frozenset({DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.HELD})
"""States of digests that a reader has, or may have; the others are still on their way."""

FILES = {
    "bib": ("bibtex", "application/x-bibtex"),
    "ris": ("ris", "application/x-research-info-systems"),
}
"""What a digest can be had as: the ending, the form, the media type."""

FEEDS = {
    "atom": (atom_of_days, "application/atom+xml"),
    "json": (json_feed_of_days, "application/feed+json"),
}

PRIVATE = {"cache-control": "private, max-age=300", "x-robots-tag": "noindex, nofollow"}
"""On what a private link gives: a feed reader may keep it for a while, nobody else."""

MAIL_POLICY = HEADERS["content-security-policy"].replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
"""A mail has its styles in its elements; scripts are as forbidden as everywhere."""

STRIP_STYLE = (
    "<style>.strip{margin:0;padding:12px 24px;font:15px/24px sans-serif;background:#fff}"
    ".strip a{color:#1b4f9c;margin-right:16px}@media (prefers-color-scheme:dark)"
    "{.strip{background:#131312}.strip a{color:#8fbcf5}}</style>"
)
STRIP = (
    '<p class="strip"><a href="{home}/preferences/digests">My digests</a>'
    ' <a href="{home}/preferences/digests/{day}.bib">BibTeX</a>'
    ' <a href="{home}/preferences/digests/{day}.ris">RIS</a></p>'
)
"""What stands above the mail; paths of ours and a day alone, so that nothing need be escaped."""


def show_list(visit: Visit, one: Subscriber) -> Response:
    """The past digests, the newest first, and the private link."""
    link = feed_link(visit, one)
    return visit.site.page(
        "digests.html",
        digests=[delivery.digest for delivery in _past(visit, one)],
        link=link,
        mark=form_mark(visit),
    )


def show_day(visit: Visit, one: Subscriber) -> Response:
    """One digest with the mail's own look."""
    delivery = _of_day(visit, one)
    html = printed(visit.app, delivery, "html").decode()
    strip = STRIP_STYLE + STRIP.format(home=visit.site.prefix, day=delivery.digest.digest_on)
    start = html.find("<body")  # a template of the operator's may do without
    body = html.index(">", start) + 1 if start >= 0 else 0
    answer = HTMLResponse(html[:body] + strip + html[body:])
    answer.headers["content-security-policy"] = MAIL_POLICY
    return answer


def download(visit: Visit, one: Subscriber) -> Response:
    """One digest for a reference manager."""
    return _file(visit, _of_day(visit, one))


def change_link(visit: Visit, one: Subscriber) -> Response:
    """Make a fresh private link, or none."""
    if "revoke" in visit.form:
        visit.app.store.drop_feed_link(one.id)
    else:
        visit.app.store.make_feed_link(one.id, visit.now)
    return visit.site.redirect("/preferences/digests#feed")


def feed(visit: Visit) -> Response:
    """The digests of a private link for a feed reader."""
    past = _past(visit, _holder(visit))
    form = str(visit.request.path_params["form"])
    if not past or form not in FEEDS:
        raise HTTPException(404)
    make, kind = FEEDS[form]
    text = make([delivery.digest for delivery in past], visit.app.frame)
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=PRIVATE)


def feed_file(visit: Visit) -> Response:
    """One digest of a private link for a reference manager."""
    answer = _file(visit, _of_day(visit, _holder(visit)))
    answer.headers.update(PRIVATE)
    return answer


def feed_link(visit: Visit, one: Subscriber) -> str:
    """The private link that works, without the ending, or empty."""
    made_at = visit.app.store.feed_link_made_at(one.id)
    if made_at is None:
        return ""
    base = visit.site.base_url.rstrip("/")
    return f"{base}/feed/{visit.app.tokens.issue(FEED, one.id, made_at)}"


def _holder(visit: Visit) -> Subscriber:
    """Whose private link this is. Raises: HTTPException 404 for any other, revoked or not ours."""
    issued = visit.app.tokens.read(FEED, visit.token)
    store = visit.app.store
    if issued is None or store.feed_link_made_at(issued.subject) != issued.at:
        raise HTTPException(404)
    one = store.subscriber_by_id(issued.subject)
    if one is None or one.state is SubscriberState.REMOVED:
        raise HTTPException(404)
    return one


def _past(visit: Visit, one: Subscriber) -> Sequence[Delivery]:
    """The digests that were sent and showed something, the newest day first."""
    return [
        delivery
        for delivery in visit.app.store.deliveries_of(one.id)
        if delivery.state in SEEN and delivery.digest.mailed
    ]


def _of_day(visit: Visit, one: Subscriber) -> Delivery:
    """The digest of the day in the path. Raises: HTTPException 404 where there is none."""
    try:
        day = date.fromisoformat(str(visit.request.path_params["day"]))
    except ValueError:
        raise HTTPException(404) from None
    found = visit.app.store.delivery(one.id, day)
    if found is None or found.state not in SEEN:
        raise HTTPException(404)
    return found


def _file(visit: Visit, delivery: Delivery) -> Response:
    ending = str(visit.request.path_params["form"])
    if ending not in FILES:
        raise HTTPException(404)
    form, kind = FILES[ending]
    name = f"digest-{delivery.digest.digest_on}.{ending}"
    return Response(
        printed(visit.app, delivery, form),
        media_type=f"{kind}; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
