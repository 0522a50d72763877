"""The changes of a reader's settings in the last week, and the way back before any of them."""

from __future__ import annotations

import json
import logging

from starlette.responses import Response

from digest.model import Subscriber
from digest.schedule import zone
from digest.store.revising import Revision
from digest.web.session import form_mark
from digest.web.site import Visit

logger = logging.getLogger("digest")

BY = {
    "form": "at your preferences",
    "toml": "by a TOML profile",
    "mail": "from a mail",
    "cli": "by who runs the service",
    "api": "by a program of yours",
    "undo": "by undoing",
}
"""What a page says of the ways to change settings."""


def show(visit: Visit, one: Subscriber) -> Response:
    """The changes, the newest first."""
    return visit.site.page(
        "history.html",
        one=one,
        revisions=visit.app.store.revisions(one.id),
        by=BY,
        zone=zone(one.timezone),
        mark=form_mark(visit),
        done="done" in visit.request.query_params,
    )


def undo(visit: Visit, one: Subscriber) -> Response:
    """Make the settings what they were before a change; one that is gone changes nothing."""
    number = str(visit.form.get("change", ""))
    known = number.isdecimal() and len(number) < 19
    if not known or visit.app.store.go_back(one.id, int(number), visit.now) is None:
        return visit.site.redirect("/preferences/history")
    logger.info("subscriber.undone %s", json.dumps({"subscriber": one.id}))
    return visit.site.redirect("/preferences/history?done=1")


def as_kept(revision: Revision) -> dict[str, object]:
    """A change in the export of a person's data."""
    return {
        "changed_at": revision.changed_at.isoformat(),
        "changed_by": revision.by,
        "says": revision.says,
    }
