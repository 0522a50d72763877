"""The story of letters: what visitors asked for by a form goes out by mail, once.

A letter stands in the store before its visitor is answered; this sends what waits there. Whom it
goes to decides what it says: a subscriber gets a link to the preferences, anyone else the link that
confirms. So the page that took the form never had to know, and cannot tell (O5).
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zlib import crc32

from digest.app import App
from digest.clock import Clock
from digest.domains import takes_mail
from digest.errors import StoreError, TemplateError
from digest.letters import Heading, Words, confirmation, invitation, render_letter, way_in
from digest.mailer import Envelope, Session
from digest.model import Deferred, Outcome, Refused, SubscriberState
from digest.notes import NOTE, WORDS
from digest.returns import refused
from digest.schedule import retry_at
from digest.signup import INVITATION
from digest.store import Letter
from digest.templates import letter_templates
from digest.tokens import CONFIRM

logger = logging.getLogger("digest")

Reaches = Callable[[str], Awaitable[bool]]
"""A domain -> whether it takes mail."""


async def send_letters(
    app: App,
    clock: Clock,
    *,
    stopping: Callable[[], bool] = lambda: False,
    reaches: Reaches = takes_mail,
) -> int:
    """Send the letters that wait until none does or the relay is in trouble; returns how many."""
    owner = f"{os.getpid()}-{secrets.token_hex(4)}"
    sent = 0
    paused = False
    async with app.mailer.session() as session:
        while not (paused or stopping() or app.mailer.rest_s) and (
            claimed := app.store.claim_letters(clock(), 1, app.lease_s, owner)
        ):
            try:
                outcome = await _send(app, session, claimed[0], clock, reaches)
            except StoreError:
                raise
            except Exception as error:
                logger.exception("letter.unmade")
                outcome = Deferred(f"the letter could not be made: {error}"[:500])
            paused = isinstance(outcome, Deferred) and outcome.relay
            _record(app, claimed[0], outcome, clock())
            sent += 1
    return sent


async def _send(
    app: App,
    session: Session,
    letter: Letter,
    clock: Clock,
    reaches: Reaches,
) -> Outcome:
    """Write one letter and send it, if there is still something to say to a domain that listens."""
    words = _words(app, letter)
    if words is None:
        return Refused(0, "not written: there is nothing to confirm or to manage")
    asked = letter.kind != NOTE  # by a form; the operator's address was put down by themselves
    if (
        asked
        and app.config.web.check_domains
        and not await reaches(letter.recipient.rpartition("@")[2])
    ):
        return Refused(0, "not written: the domain takes no mail")
    raw = app.sign(_render(app, words, letter), letter.created_at)
    sender = app.return_path("l", letter.id, letter.message_id)
    envelope = Envelope(sender, letter.recipient, raw)
    return await session.send(envelope, lambda: app.store.letter_wanted(letter, clock()))


def _words(app: App, letter: Letter) -> Words | None:
    """What a letter says to its recipient as things stand now, or None; a note what it said."""
    if letter.kind == NOTE:
        return WORDS.validate_json(letter.body)
    service, base = app.frame.service_name, app.frame.base_url
    known = app.store.subscriber(letter.recipient)
    if known and known.state in {SubscriberState.ACTIVE, SubscriberState.PAUSED}:
        return way_in(service, app.tokens.links(base, known.id, letter.created_at).manage)
    asked = app.store.signup(letter.signup_id) if letter.signup_id is not None else None
    if asked is None or asked.confirmed_at:
        return None
    token = app.tokens.issue(CONFIRM, asked.id, letter.created_at)
    ask = invitation if asked.form == INVITATION else confirmation
    return ask(service, f"{base}/confirm/{token}")


def _render(app: App, words: Words, letter: Letter) -> bytes:
    """The bytes of a letter, in the packaged templates where the operator's are broken.

    A note is always made by those: templates for readers may have no place for its figures.
    """
    heading = Heading(letter.recipient, letter.message_id, letter.created_at)
    if letter.kind == NOTE:
        return render_letter(words, heading, app.frame, letter_templates(None))
    try:
        templates = letter_templates(app.config.mail.templates)
        return render_letter(words, heading, app.frame, templates)
    except TemplateError as error:
        logger.warning("templates.broken %s", json.dumps({"reason": str(error)}))
        return render_letter(words, heading, app.frame, letter_templates(None))


def _record(app: App, letter: Letter, outcome: Outcome, now: datetime) -> None:
    """Close a try with what came of it; trouble of the relay waits for the next tick."""
    again = now
    if isinstance(outcome, Deferred) and not outcome.counted:
        again += timedelta(seconds=outcome.wait_s)
    else:
        spread = crc32(letter.message_id.encode()) / 2**32
        again = retry_at(now, letter.attempts, spread)
    if not app.store.close_letter(letter, outcome, now, again):
        logger.warning("letter.lease_lost %s", json.dumps({"letter": letter.id}))
    if isinstance(outcome, Refused):
        refused(app, "l", letter.id, outcome, now)
    details = {"letter": letter.id, "attempt": letter.attempts, "reply": outcome.reply}
    logger.info("letter.%s %s", type(outcome).__name__.lower(), json.dumps(details))
