"""What subscribers do at their preferences: change, pause, leave, take along, leave no trace."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.addresses import check_address
from digest.config import parse_subscribers, profile_toml
from digest.errors import ConfigError
from digest.model import Delivery, Origin, Subscriber, SubscriberState
from digest.schedule import send_instant, zone
from digest.store.personal import Like
from digest.web.guard import WITH_SCRIPT
from digest.web.history import as_kept
from digest.web.rehearsing import CROWDED, CrowdedError, crowded, forecast_of
from digest.web.session import form_mark, signed_out
from digest.web.settings import Fault, SettingsForm, form_for, form_of, read_settings, zones
from digest.web.site import Visit

logger = logging.getLogger("digest")

LONGEST_PAUSE = timedelta(days=366)
DONE = {
    "saved": "Saved. The next mail follows it.",
    "paused": "Paused. Nothing is sent until then.",
    "resumed": "Welcome back. The next mail comes at its usual hour.",
}


def show(visit: Visit, one: Subscriber) -> Response:
    """The preferences as they stand."""
    return _page(visit, one, done=DONE.get(visit.request.query_params.get("done", ""), ""))


def save(visit: Visit, one: Subscriber) -> Response:
    """Take the form's settings, or show it with its faults."""
    form = replace(form_of(visit.form), email=one.email)
    if "more" in visit.form:
        return _page(visit, one, form=form, more=10)
    wanted, faults = read_settings(form)
    if wanted is None:
        return _page(visit, one, form=replace(form, faults=faults), status=422)
    if "forecast" in visit.form:
        return _rehearsed(visit, one, form, wanted)
    return _keep(visit, one, wanted)


def save_toml(visit: Visit, one: Subscriber) -> Response:
    """Take the profile as TOML, typed or uploaded, or show it with every fault."""
    text = _toml_of(visit)
    try:
        wanted = _read_toml(text, one, visit.app.config.service.timezone)
    except ConfigError as error:
        faults = tuple(Fault("", line.removeprefix("profile: ")) for line in error.faults)
        return _page(visit, one, toml=text, toml_faults=faults, status=422)
    return _keep(visit, one, wanted, "toml")


def download(visit: Visit, one: Subscriber) -> Response:
    """The profile as a TOML file."""
    return _file(profile_toml(one), "profile.toml", "application/toml")


def pause(visit: Visit, one: Subscriber) -> Response:
    """Send nothing before a day, in the person's own zone; a pause can be ended here as well."""
    store = visit.app.store
    if one.state not in {SubscriberState.ACTIVE, SubscriberState.PAUSED}:
        return visit.site.redirect("/preferences")
    if "resume" in visit.form:
        done = "?done=resumed" if store.unpause(one.id, visit.now) else ""
        return visit.site.redirect(f"/preferences{done}")
    until = _day(str(visit.form.get("until", "")))
    if until is None or not is_pause(until, one, visit.now):
        fault = Fault("until", "give a day after today, within a year")
        return _page(visit, one, pause_fault=fault, status=422)
    paused = store.pause(one.id, send_instant(until, time(0), one.timezone), visit.now)
    return visit.site.redirect("/preferences" + "?done=paused" * paused)


def is_pause(until: date, one: Subscriber, now: datetime) -> bool:
    """Whether one may pause until that day: one to come, within a year, in their own zone."""
    today = now.astimezone(zone(one.timezone)).date()
    return today < until <= today + LONGEST_PAUSE


def leave(visit: Visit, one: Subscriber) -> Response:
    """Unsubscribe at once."""
    visit.app.store.set_state(one.id, SubscriberState.UNSUBSCRIBED, visit.now)
    logger.info("subscriber.unsubscribed %s", json.dumps({"subscriber": one.id}))
    return visit.site.page("unsubscribed.html")


def export(visit: Visit, one: Subscriber) -> Response:
    """Everything that is kept about the person, as JSON."""
    kept = {
        "address": one.email,
        "state": one.state,
        "kept_in": one.origin,
        "profile_toml": profile_toml(one),
        "consents": visit.app.store.consents(one.id),
        "likes": [_like(said) for said in visit.app.store.likes([one.id]).get(one.id, ())],
        "changes": [as_kept(each) for each in visit.app.store.revisions(one.id)],
        "digests": [_digest(d) for d in visit.app.store.deliveries_of(one.id)],
    }
    text = json.dumps(kept, ensure_ascii=False, indent=2) + "\n"
    return _file(text, "my-data.json", "application/json")


def erase(visit: Visit, one: Subscriber) -> Response:
    """Delete everything about the person, once they ticked that they mean it."""
    if "sure" not in visit.form:
        return _page(visit, one, erase_fault="Tick the box first.", status=422)
    visit.app.store.erase(one.id, visit.now)
    logger.info("subscriber.erased %s", json.dumps({"subscriber": one.id}))
    return signed_out(visit, visit.site.page("erased.html"))


def _rehearsed(visit: Visit, one: Subscriber, form: SettingsForm, wanted: Subscriber) -> Response:
    """The form with what its profile would have brought."""
    try:
        return _page(visit, one, form=form, made=forecast_of(visit, wanted.profile, one))
    except CrowdedError:
        return crowded(_page(visit, one, form=replace(form, faults=(CROWDED,)), status=503))


def _keep(visit: Visit, one: Subscriber, wanted: Subscriber, by: str = "form") -> Response:
    keep_settings(visit, one, wanted, by)
    return visit.site.redirect("/preferences?done=saved")


def keep_settings(visit: Visit, one: Subscriber, wanted: Subscriber, by: str) -> Subscriber:
    """Write the settings; address, origin and state stay as they are. `by` is for the history.

    Raises: HTTPException 401 for who erased their data meanwhile; that is not undone.
    """
    kept = replace(wanted, email=one.email, origin=Origin.STORE, state=one.state, id=one.id)
    kept = kept if kept.name else replace(kept, name=one.name)
    changed = visit.app.store.change_subscriber(kept, visit.now, by)
    if changed is None:
        raise HTTPException(401)
    logger.info("subscriber.changed %s", json.dumps({"subscriber": one.id}))
    return changed


def _page(
    visit: Visit,
    one: Subscriber,
    *,
    form: SettingsForm | None = None,
    more: int = 3,
    status: int = 200,
    **shown: object,
) -> Response:
    today = visit.now.astimezone(zone(one.timezone)).date()
    values: dict[str, object] = {
        "one": one,
        "form": (form or form_for(one)).with_rows(more),
        "zones": zones(),
        "mark": form_mark(visit),
        "toml": profile_toml(one),
        "toml_faults": (),
        "pause_fault": None,
        "erase_fault": "",
        "done": "",
        "made": None,
        "until": _until(visit, one),
        "tomorrow": today + timedelta(days=1),
        "latest": today + LONGEST_PAUSE,
    }
    answer = visit.site.page("preferences.html", status, **(values | shown))
    answer.headers.update(WITH_SCRIPT)
    return answer


def _read_toml(text: str, one: Subscriber, default_timezone: str) -> Subscriber:
    """The one subscriber of a TOML text, who must be this one. Raises: ConfigError."""
    people = parse_subscribers(text, "profile", default_timezone)
    if [person.email for person in people] != [check_address(one.email)]:
        raise ConfigError([f"profile: it must hold one [[subscribers]], with {one.email}"])
    return people[0]


def _until(visit: Visit, one: Subscriber) -> datetime | None:
    until = visit.app.store.paused_until(one.id)
    return until.astimezone(zone(one.timezone)) if until else None


def _toml_of(visit: Visit) -> str:
    """The uploaded file where there is one, else what stands in the field."""
    text = visit.form.get("file") or visit.form.get("toml", "")
    return str(text).replace("\r\n", "\n")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _like(said: Like) -> dict[str, object]:
    """A like or dislike in the export."""
    listing = said.listing
    return {
        "listing": {"key": listing.key, "title": listing.title, "url": listing.url},
        "value": said.value,
        "said_at": said.liked_at.isoformat(),
        "said_by": said.origin,
    }


def _digest(delivery: Delivery) -> dict[str, object]:
    """A digest in the export: its day, its fate, what it showed."""
    digest = delivery.digest
    return {
        "day": digest.digest_on.isoformat(),
        "state": delivery.state,
        "prepared_at": delivery.prepared_at.isoformat(),
        "reply": delivery.reply,
        "listings": [
            {"title": m.listing.title, "url": m.listing.url, "score": round(m.score, 4)}
            for section in digest.sections
            for m in section.matches
        ],
    }


def _file(text: str, name: str, kind: str) -> Response:
    return Response(
        text,
        media_type=f"{kind}; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
