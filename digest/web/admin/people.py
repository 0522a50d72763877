"""Subscribers, as the operator finds them: by a part of the address or by state; what can be done.

The search is a POST, although it changes nothing: an address belongs in no URL (T3).
"""

from __future__ import annotations

import json
import logging
from datetime import date, time

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.model import Origin, Subscriber, SubscriberState
from digest.schedule import send_instant
from digest.signup import LINKS_PER_DAY
from digest.web.admin.entry import mark, number_of
from digest.web.preferences import is_pause
from digest.web.site import Visit

logger = logging.getLogger("digest")

MOST = 100
DONE = {
    "paused": "Paused.",
    "resumed": "Mail goes out again.",
    "asked": "A letter with a fresh link is on its way.",
    "removed": "Removed; no more mail goes out.",
    "nothing": "That is no move for this subscriber; nothing was changed.",
    "often": "Enough letters went out today; nothing was sent.",
}


def list_people(visit: Visit) -> Response:
    """Subscribers whose address holds the searched text, or all; of one state or of any."""
    part = str(visit.form.get("part", "")).strip()[:254]
    asked = visit.form.get("state") or visit.request.query_params.get("state", "")
    state = next((one for one in SubscriberState if one == asked), None)
    found = visit.app.store.find_subscribers(part, state, MOST + 1)
    return visit.site.page(
        "admin_subscribers.html",
        found=found[:MOST],
        more=len(found) > MOST,
        part=part,
        state=state,
        states=list(SubscriberState),
        counts=visit.app.store.subscribers_by_state(),
        mark=mark(visit),
    )


def show_person(visit: Visit) -> Response:
    """One subscriber, with what can be done and their last digests."""
    one = _person(visit)
    done = DONE.get(visit.request.query_params.get("done", ""), "")
    return visit.site.page(
        "admin_subscriber.html",
        one=one,
        done=done,
        until=visit.app.store.paused_until(one.id),
        rows=visit.app.store.ledger_rows(30, subscriber_id=one.id),
        consents=visit.app.store.consents(one.id),
        mark=mark(visit),
    )


def change_person(visit: Visit) -> Response:
    """What the pressed button asks for."""
    one, action = _person(visit), str(visit.request.path_params["action"])
    match action:
        case "pause":
            done = _pause(visit, one)
        case "resume":
            done = "resumed" if visit.app.store.unpause(one.id, visit.now) else "nothing"
        case "link":
            done = _link(visit, one)
        case "remove":
            done = _remove(visit, one)
        case _:
            raise HTTPException(404)
    details = {"subscriber": one.id, "came_of_it": done}
    logger.info("admin.%s %s", action, json.dumps(details))
    return visit.site.redirect(f"/admin/subscribers/{one.id}?done={done}")


def _person(visit: Visit) -> Subscriber:
    """Raises: HTTPException 404 when there is none of that number."""
    one = visit.app.store.subscriber_by_id(number_of(visit))
    if one is None:
        raise HTTPException(404)
    return one


def _pause(visit: Visit, one: Subscriber) -> str:
    try:
        until = date.fromisoformat(str(visit.form.get("until", "")))
    except ValueError:
        return "nothing"
    if not is_pause(until, one, visit.now):
        return "nothing"
    at = send_instant(until, time(0), one.timezone)
    return "paused" if visit.app.store.pause(one.id, at, visit.now) else "nothing"


def _link(visit: Visit, one: Subscriber) -> str:
    if one.state not in {SubscriberState.ACTIVE, SubscriberState.PAUSED}:
        return "nothing"
    address = visit.app.tokens.address(one.email)
    domain = visit.app.frame.sender[1].rpartition("@")[2]
    if not visit.app.store.ask_for_link(one, address, domain, LINKS_PER_DAY, visit.now):
        return "often"
    visit.site.wake()
    return "asked"


def _remove(visit: Visit, one: Subscriber) -> str:
    """The file's own come back with it; who has unsubscribed must not be forgotten."""
    if one.origin is Origin.FILE or one.state is SubscriberState.UNSUBSCRIBED:
        return "nothing"
    visit.app.store.set_state(one.id, SubscriberState.REMOVED, visit.now)
    return "removed"
