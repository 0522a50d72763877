"""The page on which subscribers make and revoke the keys that programs of theirs use.

A key is shown once, in the answer that made it; what is kept is a keyed hash.
"""

from __future__ import annotations

import json
import logging

from starlette.responses import Response

from digest.config.text import MAX_LINE, check_optional_line
from digest.model import Subscriber
from digest.store.operating import MOST_KEYS
from digest.tokens import new_api_key
from digest.web.session import form_mark
from digest.web.site import Visit

logger = logging.getLogger("digest")


def show(visit: Visit, one: Subscriber) -> Response:
    """The keys there are."""
    return _page(visit, one)


def make(visit: Visit, one: Subscriber) -> Response:
    """A new key, shown in the answer and never again."""
    name = str(visit.form.get("name", "")).strip()[:MAX_LINE] or "a program"
    try:
        check_optional_line(name)
    except ValueError as error:
        return _page(visit, one, 422, fault=f"Name: {error}")
    key = new_api_key()
    fingerprint = visit.app.tokens.api_key_names(key)[0]
    if visit.app.store.add_api_key(one.id, name, fingerprint, visit.now) is None:
        fault = f"There are {MOST_KEYS} keys already; revoke one that is not used any more."
        return _page(visit, one, 422, fault=fault)
    logger.info("key.made %s", json.dumps({"subscriber": one.id}))
    return _page(visit, one, made=key)


def revoke(visit: Visit, one: Subscriber) -> Response:
    """Make a key worthless at once."""
    number = str(visit.form.get("key", ""))
    if number.isdecimal() and len(number) < 10:
        visit.app.store.revoke_api_key(one.id, int(number))
        logger.info("key.revoked %s", json.dumps({"subscriber": one.id, "key": int(number)}))
    return visit.site.redirect("/preferences/keys")


def _page(
    visit: Visit, one: Subscriber, status: int = 200, *, made: str = "", fault: str = ""
) -> Response:
    keys = visit.app.store.api_keys(one.id)
    values = {"keys": keys, "mark": form_mark(visit), "made": made, "fault": fault}
    return visit.site.page("keys.html", status, **values)
