"""Signing up: the form, and the page behind the link in the mail that confirms it.

No answer tells whether an address is known: every form that can be read is kept, and whether a mail
goes out, and which, is decided later and elsewhere (O5).
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from itertools import zip_longest

from starlette.responses import Response

from digest.forecast import Forecast
from digest.model import Subscriber
from digest.signup import (
    CONFIRM_WITHIN,
    FASTEST,
    FORM_LASTS,
    FORM_VERSION,
    is_within,
    masked,
    network_of,
)
from digest.store import Signup, SignupLimits
from digest.tokens import CONFIRM, FORM
from digest.web.guard import WITH_SCRIPT
from digest.web.rehearsing import CROWDED, CrowdedError, crowded, forecast_of
from digest.web.settings import STAND_IN, Fault, SettingsForm, form_of, read_settings, zones
from digest.web.site import Visit

logger = logging.getLogger("digest")

MOST_PREFILLED = 20


def show_form(visit: Visit) -> Response:
    """The empty form; `?keyword=` in the address fills rows, also `weight` and `exclude`."""
    asked = visit.request.query_params
    terms, weights = asked.getlist("keyword")[:MOST_PREFILLED], asked.getlist("weight")
    rows = tuple(
        (term[:200], weight[:8])
        for term, weight in zip_longest(terms, weights[: len(terms)], fillvalue="1")
    )
    exclude = "\n".join(term[:200] for term in asked.getlist("exclude")[:MOST_PREFILLED])
    zone = visit.app.config.service.timezone
    return _page(visit, SettingsForm(rows=rows, timezone=zone, exclude=exclude))


def take_form(visit: Visit) -> Response:
    """What the pressed button asks for: more rows, a forecast, or to be subscribed."""
    form = form_of(visit.form)
    if "more" in visit.form:
        return _page(visit, form, more=10)
    if "forecast" in visit.form:
        return _rehearsed(visit, form)
    wanted, faults = read_settings(form)
    if wanted is None:
        return _page(visit, replace(form, faults=faults), status=422)
    if fault := _untimely(visit):
        return _page(visit, replace(form, faults=(Fault("", fault),)), status=422)
    return sign_up(visit, wanted)


def sign_up(visit: Visit, wanted: Subscriber) -> Response:
    """Keep the sign-up, let its letter go out, and say the same to everybody."""
    if visit.form.get("website"):  # a field that nobody sees: a program filled it in
        return visit.site.page("check_mail.html")
    if not keep_signup(visit, wanted, FORM_VERSION):
        return visit.site.problem(429)
    return visit.site.page("check_mail.html")


def keep_signup(visit: Visit, wanted: Subscriber, form: str) -> bool:
    """Keep a sign-up and let its letter go out; false beyond a limit. `form` is what was seen."""
    tokens, web = visit.app.tokens, visit.app.config.web
    asked = Signup(
        wanted=wanted,
        form=form,
        client=masked(visit.client),
        asked_at=visit.now,
        address=tokens.address(wanted.email),
        network=tokens.fingerprint(f"network {network_of(visit.client)}"),
    )
    limits = SignupLimits(web.signups_per_network, web.signups_per_hour)
    domain = visit.app.frame.sender[1].rpartition("@")[2]
    if not visit.app.store.sign_up(asked, limits, domain, visit.now):
        logger.warning("signup.limited %s", json.dumps({"network": asked.network[:12]}))
        return False
    visit.site.wake()
    return True


def show_confirm(visit: Visit) -> Response:
    """What was asked for, and one button; looking confirms nothing (O2)."""
    asked = _asked(visit)
    if asked is None:
        return visit.site.page("confirm_old.html", 410)
    return visit.site.page("confirm.html", asked=asked.wanted)


def confirm(visit: Visit) -> Response:
    """Subscribe the person of a link that is not too old."""
    asked = _asked(visit)
    one = visit.app.store.confirm(asked.id, visit.now) if asked else None
    if one is None:
        return visit.site.page("confirm_old.html", 410)
    logger.info("subscriber.confirmed %s", json.dumps({"subscriber": one.id}))
    return visit.site.page("confirmed.html", one=one)


def _asked(visit: Visit) -> Signup | None:
    """The sign-up of the link, if it may still be confirmed."""
    issued = visit.app.tokens.read(CONFIRM, visit.token)
    if issued is None or not is_within(issued.at, visit.now, CONFIRM_WITHIN):
        return None
    return visit.app.store.signup(issued.subject)


def _untimely(visit: Visit) -> str:
    """Why the form came too soon or too late after its page, or empty."""
    issued = visit.app.tokens.read(FORM, str(visit.form.get("stamp", "")))
    if issued is None or not is_within(issued.at, visit.now, FORM_LASTS):
        return "This page was open for a long time. Look it over and press the button again."
    if visit.now - issued.at < FASTEST:
        return "That was quick. Look it over and press the button again."
    return ""


def _rehearsed(visit: Visit, form: SettingsForm) -> Response:
    """The form with what its profile would have brought; that asks for no address."""
    wanted, faults = read_settings(replace(form, email=STAND_IN))
    if wanted is None:
        return _page(visit, replace(form, faults=faults), status=422)
    try:
        return _page(visit, form, made=forecast_of(visit, wanted.profile))
    except CrowdedError:
        return crowded(_page(visit, replace(form, faults=(CROWDED,)), status=503))


def _page(
    visit: Visit,
    form: SettingsForm,
    *,
    more: int = 5,
    status: int = 200,
    made: Forecast | None = None,
) -> Response:
    answer = visit.site.page(
        "subscribe.html",
        status,
        form=form.with_rows(more),
        zones=zones(),
        made=made,
        stamp=visit.app.tokens.issue(FORM, 0, visit.now),
    )
    answer.headers.update(WITH_SCRIPT)
    return answer
