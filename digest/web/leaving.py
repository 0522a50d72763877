"""Unsubscribing: a page with one button, and the POST that mail programs send by themselves.

No answer says whether the token is known: the page, the second POST and a stranger's guess read
the same (U5). Source: RFC 8058 3.
"""

from __future__ import annotations

import json
import logging

from starlette.responses import Response

from digest.model import SubscriberState
from digest.web.site import Visit

logger = logging.getLogger("digest")


def ask(visit: Visit) -> Response:
    """The page with the button; looking at it changes nothing (U2)."""
    return visit.site.page("unsubscribe.html")


def leave(visit: Visit) -> Response:
    """Unsubscribe at once; what waits to be sent is cancelled in the same transaction (U4)."""
    subscriber_id = visit.app.tokens.read_unsubscribe(visit.token)
    if subscriber_id is not None:
        visit.app.store.set_state(subscriber_id, SubscriberState.UNSUBSCRIBED, visit.now)
        logger.info("subscriber.unsubscribed %s", json.dumps({"subscriber": subscriber_id}))
    return visit.site.page("unsubscribed.html")
