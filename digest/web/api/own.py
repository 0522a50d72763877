"""What the holder of a key may do: see and change their profile, read their digests, pause, leave.

The same verbs and rules as on the preferences page; who stands in the config file is changed there.
"""

from __future__ import annotations

import json
import logging
from datetime import date, time
from typing import Any

from pydantic import Field
from starlette.responses import Response

from digest.addresses import AddressError, check_address
from digest.app import App
from digest.config.writing import subscriber_table
from digest.formats import FORMATS
from digest.model import Delivery, Origin, PersonalLinks, SubscriberState
from digest.schedule import send_instant
from digest.web.api.endpoint import shape_faults
from digest.web.api.operations import Call, Operation, Parameters
from digest.web.api.problems import ProblemError
from digest.web.api.shapes import (
    Day,
    DigestLine,
    DigestShape,
    DigestsShape,
    DoneShape,
    MeShape,
    PauseShape,
    ProfileShape,
)
from digest.web.joining import keep_signup
from digest.web.preferences import is_pause, keep_settings
from digest.web.settings import Fault, read_table

logger = logging.getLogger("digest")

KEPT = 60
"""Digests in a list at most; they are kept for 30 days."""

API_FORM = "api 2026-11"
"""Kept with a sign-up as what the person agreed to."""

MEDIA = {
    "html": "text/html",
    "text": "text/plain",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "bibtex": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "markdown": "text/markdown",
}
"""The content type of each form; what `digest.formats` has beside them is plain text."""


class OneDay(Parameters):
    """Which digest."""

    day: Day = Field(description="The digest's local day.")


class OneForm(OneDay):
    """Which digest, in which form."""

    form: str = Field(pattern=f"^({'|'.join(FORMATS)})$", description="One of the forms.")


def subscribe(call: Call) -> DoneShape:
    """Ask to be subscribed; a mail asks whether that was meant."""
    table = dict(call.body)
    email = table.pop("email", "")
    email = email if isinstance(email, str) else ""
    wanted, faults = read_table(table, email, call.visit.app.config.service.timezone)
    faults = faults or tuple(shape_faults(ProfileShape, call.body))
    if wanted is None or faults:
        raise ProblemError(422, faults=faults)
    if not keep_signup(call.visit, wanted, API_FORM):
        raise ProblemError(429, headers={"retry-after": "3600"})
    return DoneShape(message="Check your mail: the link there confirms it.")


def show_me(call: Call) -> MeShape:
    """Who holds the key."""
    one = call.one
    until = call.visit.app.store.paused_until(one.id)
    return MeShape(email=one.email, state=one.state, kept_in=one.origin, paused_until=until)


def show_profile(call: Call) -> ProfileShape:
    """The settings as they stand."""
    return ProfileShape.model_validate(subscriber_table(call.one))


def save_profile(call: Call) -> ProfileShape:
    """Replace all settings; what is left out gets its default."""
    one, table = call.one, dict(call.body)
    if one.origin is Origin.FILE:
        raise ProblemError(
            403, "The settings stand in the operator's config and are changed there."
        )
    email = table.pop("email", one.email)
    zone_before = {"timezone": one.timezone} if not table.get("timezone") else {}
    wanted, faults = read_table(table | zone_before, one.email, one.timezone)
    if not _is_same(email, one.email):
        faults = (*faults, Fault("email", "cannot be changed here; leave it out"))
    faults = faults or tuple(shape_faults(ProfileShape, call.body))
    if wanted is None or faults:
        raise ProblemError(422, faults=faults)
    changed = keep_settings(call.visit, one, wanted, "api")
    return ProfileShape.model_validate(subscriber_table(changed))


def _is_same(given: Any, email: str) -> bool:
    try:
        return isinstance(given, str) and check_address(given) == check_address(email)
    except AddressError:
        return False


def list_digests(call: Call) -> DigestsShape:
    """The digests that are kept, the newest first."""
    rows = call.visit.app.store.ledger_rows(KEPT, subscriber_id=call.one.id)
    lines = sorted(map(DigestLine.of, rows), key=lambda line: line.day, reverse=True)
    return DigestsShape(digests=lines)


def show_digest(call: Call) -> DigestShape:
    """One digest with its scores and reasons."""
    return DigestShape.of(_delivery(call, call.parameters.day))


def show_form(call: Call) -> Response:
    """One digest in a form of its own: a page, a feed, references."""
    delivery, name, app = _delivery(call, call.parameters.day), call.parameters.form, call.visit.app
    links = app.tokens.links(call.visit.site.base_url, call.one.id, delivery.prepared_at)
    text = _text(app, delivery, name, links)
    kind = MEDIA.get(name, "text/plain")
    return Response(text.encode("utf-8", "replace"), media_type=f"{kind}; charset=utf-8")


def _text(app: App, delivery: Delivery, name: str, links: PersonalLinks) -> str:
    """A digest in a form; the mail's own two by its renderer, which is compiled once."""
    digest, frame = delivery.digest, delivery.frame
    if name not in {"html", "text"}:
        return FORMATS[name](digest, frame, links)
    at = delivery.prepared_at
    mail = app.renderer(frame).render(digest, delivery.message_id, at, links)
    return mail.html if name == "html" else mail.text


def _delivery(call: Call, day: date) -> Delivery:
    found = call.visit.app.store.delivery(call.one.id, day)
    if found is None:
        raise ProblemError(404, "There is no digest of that day, or it is no longer kept.")
    return found


def pause(call: Call) -> MeShape:
    """Send nothing until a day."""
    one, visit = call.one, call.visit
    if not is_pause(call.body.until, one, visit.now):
        fault = Fault("until", "give a day after today, within a year")
        raise ProblemError(422, faults=[fault])
    until = send_instant(call.body.until, time(0), one.timezone)
    if not visit.app.store.pause(one.id, until, visit.now):
        raise ProblemError(409, "Who is not subscribed cannot pause.")
    return _me(call)


def resume(call: Call) -> MeShape:
    """End a pause; nothing happens where there is none."""
    call.visit.app.store.unpause(call.one.id, call.visit.now)
    return _me(call)


def leave(call: Call) -> MeShape:
    """Unsubscribe at once; nothing is mailed from now on."""
    call.visit.app.store.set_state(call.one.id, SubscriberState.UNSUBSCRIBED, call.visit.now)
    logger.info("subscriber.unsubscribed %s", json.dumps({"subscriber": call.one.id}))
    return _me(call)


def _me(call: Call) -> MeShape:
    """Who holds the key, as things stand now."""
    one = call.visit.app.store.subscriber_by_id(call.one.id)
    if one is None:
        raise ProblemError(401)
    return show_me(Call(call.visit, holder=one))


OPERATIONS = (
    Operation(
        "POST",
        "/subscribers",
        "subscribe",
        "Ask to be subscribed; a mail asks whether that was meant.",
        subscribe,
        DoneShape,
        body=ProfileShape,
        is_raw=True,
        status=202,
    ),
    Operation("GET", "/me", "getMe", "Who holds the key.", show_me, MeShape, needs_key=True),
    Operation(
        "GET",
        "/me/profile",
        "getProfile",
        "The own settings and keywords.",
        show_profile,
        ProfileShape,
        needs_key=True,
    ),
    Operation(
        "PUT",
        "/me/profile",
        "putProfile",
        "Replace the own settings and keywords.",
        save_profile,
        ProfileShape,
        body=ProfileShape,
        is_raw=True,
        needs_key=True,
        refuses=(403,),
    ),
    Operation(
        "GET",
        "/me/digests",
        "listDigests",
        "The own digests that are kept.",
        list_digests,
        DigestsShape,
        needs_key=True,
    ),
    Operation(
        "GET",
        "/me/digests/{day}",
        "getDigest",
        "One of the own digests, with scores and reasons.",
        show_digest,
        DigestShape,
        parameters=OneDay,
        needs_key=True,
        refuses=(404,),
    ),
    Operation(
        "GET",
        "/me/digests/{day}/{form}",
        "getDigestForm",
        "One of the own digests as a page, a feed or references.",
        show_form,
        DigestShape,
        parameters=OneForm,
        needs_key=True,
        media=(*MEDIA.values(),),
        refuses=(404,),
    ),
    Operation(
        "POST",
        "/me/pause",
        "pause",
        "Send nothing until a day.",
        pause,
        MeShape,
        body=PauseShape,
        needs_key=True,
        refuses=(409,),
    ),
    Operation("POST", "/me/resume", "resume", "End a pause.", resume, MeShape, needs_key=True),
    Operation(
        "POST",
        "/me/unsubscribe",
        "unsubscribe",
        "Unsubscribe at once.",
        leave,
        MeShape,
        needs_key=True,
    ),
)
