"""What a reader says of one paper of a mail: more like it, less, mute a term, follow an author.

The link shows what would change and changes nothing, however often it is fetched and whatever
scripts run; the button does it (U2). What was shown is what is done: each choice bears a seal over
the profile that it was made for, and a profile that has changed meanwhile is shown anew.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from digest.choices import VERBS, Choice, Shown, about_term, change, offered, toml_lines
from digest.errors import KeywordError
from digest.matcher import Statistics
from digest.model import Delivery, Origin, Subscriber, SubscriberState
from digest.signup import MANAGE_WITHIN, is_within
from digest.store.personal import Like
from digest.store.revising import Revised, Revision
from digest.tokens import TUNE
from digest.web.site import Visit

logger = logging.getLogger("digest")

SAID = {"more": 1, "less": -1}
"""The verbs that say something of the paper itself, which is kept."""

CHANGED = "Your profile has changed since this page was made. This is what would change now."
NOTHING = "Choose one at least."


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose link it is, the verb in it, and the paper as their mail showed it."""

    one: Subscriber
    verb: str
    shown: Shown

    @property
    def is_in_file(self) -> bool:
        """Whether the profile is changed in the config file and not here."""
        return self.one.origin is Origin.FILE


def show_all(visit: Visit) -> Response:
    """The page of the mail's text part: the ways to judge one paper."""
    found = _judged(visit, "more")
    if found is None:
        return _no_longer(visit)
    verbs = {verb: label for verb, label in VERBS.items() if verb != "follow" or _names(found)}
    here = f"{visit.site.prefix}/tune/{visit.token}"
    return visit.site.page(
        "tune_all.html", here=here, verbs=verbs, listing=found.shown.listing, number=_number(visit)
    )


def show(visit: Visit) -> Response:
    """What would change; looking changes nothing."""
    found = _judged(visit, _verb(visit))
    return _page(visit, found) if found else _no_longer(visit)


def judge(visit: Visit) -> Response:
    """Do what was shown and chosen."""
    found = _judged(visit, _verb(visit))
    if found is None:
        return _no_longer(visit)
    one, values = found.one, _chosen(visit, found)
    if values is None:
        return _page(visit, found, fault=CHANGED, status=409)
    if not values and found.verb not in SAID:
        return _page(visit, found, fault=NOTHING, status=422)
    made = change(one.profile, values)
    wanted = Revised(
        profile=made.profile,
        expected=one.profile,
        by="mail",
        says=(*_says(found), *made.says),
        said=_like(visit, found),
    )
    number = visit.app.store.revise(one.id, wanted, visit.now)
    if number is None:
        return _page(visit, _judged(visit, found.verb) or found, fault=CHANGED, status=409)
    logger.info("subscriber.tuned %s", json.dumps({"subscriber": one.id, "by": found.verb}))
    return visit.site.redirect(f"/tune/{visit.token}/done/{number}")


def show_done(visit: Visit) -> Response:
    """What was done, and the button that takes it back."""
    one, revision = _revision(visit)
    if one is None or revision is None:
        return _no_longer(visit)
    newest = visit.app.store.revisions(one.id)[0]
    return visit.site.page(
        "tuned.html",
        revision=revision,
        undone=newest.by == "undo" and newest.id > revision.id,
        can_undo=newest.id == revision.id,
        counts=revision.listing_key and one.profile.learn,
        kept=revision.listing_key and not one.profile.learn,
        undo=f"{visit.site.prefix}/tune/{visit.token}/undo/{revision.id}",
    )


def undo(visit: Visit) -> Response:
    """Take a change back, if it is the last one; of others the preferences tell more."""
    one, revision = _revision(visit)
    if one is None or revision is None:
        return _no_longer(visit)
    store = visit.app.store
    if store.revisions(one.id)[0].id == revision.id:
        store.go_back(one.id, revision.id, visit.now)
        logger.info("subscriber.undone %s", json.dumps({"subscriber": one.id}))
    return visit.site.redirect(f"/tune/{visit.token}/done/{revision.id}")


# --- the link -----------------------------------------------------------------------------------


def _verb(visit: Visit) -> str:
    """The verb of the path. Raises: HTTPException 404 for any other word."""
    verb = str(visit.request.path_params["verb"])
    if verb not in VERBS:
        raise HTTPException(404)
    return verb


def _number(visit: Visit) -> int:
    """The number at the end of the path, one that the store can hold."""
    return min(int(visit.request.path_params["number"]), 2**62)


def holder(visit: Visit) -> Subscriber | None:
    """Whose tuning link this is, if it is not too old."""
    issued = visit.app.tokens.read(TUNE, visit.token)
    if issued is None or not is_within(issued.at, visit.now, MANAGE_WITHIN):
        return None
    one = visit.app.store.subscriber_by_id(issued.subject)
    return None if one is None or one.state is SubscriberState.REMOVED else one


def _judged(visit: Visit, verb: str) -> Judged | None:
    """What the link is about: a paper that a mail to this very person has shown."""
    one = holder(visit)
    found = visit.app.store.delivery_showing(one.id, _number(visit)) if one else None
    return Judged(one, verb, _shown(found, _number(visit))) if one and found else None


def _shown(delivery: Delivery, number: int) -> Shown:
    """A listing of a digest with every reason that stood beside it."""
    matches = [
        match
        for section in delivery.digest.sections
        for match in section.matches
        if match.listing.id == number
    ]
    return Shown(matches[0].listing, [reason for match in matches for reason in match.reasons])


def _revision(visit: Visit) -> tuple[Subscriber | None, Revision | None]:
    """The change of the path, made by a link of a mail and kept still."""
    one = holder(visit)
    known = visit.app.store.revisions(one.id) if one else ()
    wanted = _number(visit)
    found = (each for each in known if each.id == wanted and each.by == "mail")
    return one, next(found, None)


def _no_longer(visit: Visit) -> Response:
    return visit.site.page("tune_old.html", 410)


# --- the page -----------------------------------------------------------------------------------


def _page(visit: Visit, found: Judged, *, fault: str = "", status: int = 200) -> Response:
    typed = visit.request.query_params.get("term", "").strip()[:200]
    choices = _choices(visit, found, typed)
    return visit.site.page(
        "tune.html",
        status,
        found=found,
        label=VERBS[found.verb],
        listing=found.shown.listing,
        choices=[(choice, _seal(visit, found, choice.value)) for choice in choices],
        lines={choice.value: _lines(found.one, choice) for choice in choices}
        if found.is_in_file
        else {},
        typed=typed,
        unusable=bool(typed) and not about_term(found.one.profile, typed),
        fault=fault,
        mark=_seal(visit, found, ""),
        says_of_it=found.verb in SAID,
    )


def _choices(visit: Visit, found: Judged, typed: str) -> Sequence[Choice]:
    """What is offered; a term that was typed stands first."""
    own = about_term(found.one.profile, typed) if typed and found.verb == "mute" else []
    known = Statistics(0, {})
    if found.verb in SAID:
        known = visit.app.matcher(visit.now).statistics
    offers = offered(found.verb, found.one.profile, found.shown, known)
    return list({choice.value: choice for choice in [*own, *offers]}.values())


def _names(found: Judged) -> bool:
    """Whether there is anybody to follow."""
    return bool(offered("follow", found.one.profile, found.shown, Statistics(0, {})))


def _lines(one: Subscriber, choice: Choice) -> str:
    return toml_lines(one, change(one.profile, [choice.value]).profile) if choice.changes else ""


def _seal(visit: Visit, found: Judged, value: str) -> str:
    """What proves that this choice was shown by this link for the profile as it stands."""
    number, profile = _number(visit), found.one.profile
    said = f"tune {visit.token} {found.verb} {number} {profile!r} {value}"
    return visit.app.tokens.fingerprint(said)[:32]


def _chosen(visit: Visit, found: Judged) -> list[str] | None:
    """The choices that were sent, or None where they were shown for another profile."""
    mark = str(visit.form.get("mark", ""))
    if not hmac.compare_digest(mark.encode(), _seal(visit, found, "").encode()):
        return None
    values = []
    for sent in visit.form.getlist("choice"):
        seal, _, value = str(sent).partition(" ")
        if not hmac.compare_digest(seal.encode(), _seal(visit, found, value).encode()):
            return None
        try:
            change(found.one.profile, [value])
        except (KeywordError, ValueError):
            return None
        values.append(value)
    return [] if found.is_in_file else values


def _like(visit: Visit, found: Judged) -> Like | None:
    value = SAID.get(found.verb)
    return Like(found.shown.listing, value, visit.now, "web") if value else None


def _says(found: Judged) -> tuple[str, ...]:
    """What the button itself says, beside the choices."""
    title = found.shown.listing.title
    return (f"{VERBS[found.verb]}: “{title[:200]}”.",) if found.verb in SAID else ()
