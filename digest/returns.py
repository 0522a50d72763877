"""The story of what comes back: a mail is read, its own mail found, and what follows is recorded.

Nothing is believed of a report but the signed token in the address that it was sent to, or the
Message-ID of a mail in the ledger; what names neither is counted in the log and changes nothing
(N4). Nothing is ever answered (N5). Recording is one transaction and may be repeated, so whoever
holds a mail lets go of it afterwards (N6).
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from datetime import datetime

from digest.app import App
from digest.bounces import (
    AutoReply,
    Bounce,
    Complaint,
    Failure,
    Other,
    Severity,
    Traces,
    of_refusal,
    read_return,
)
from digest.model import Refused
from digest.store.returned import Effect, Mailed, What

logger = logging.getLogger("digest")

COMPLAINTS = {
    "abuse": What.COMPLAINT,
    "fraud": What.COMPLAINT,
    "opt-out": What.OPT_OUT,
    "opt-out-list": What.OPT_OUT,
}
"""Kinds of complaints that something follows from (F1)."""

TOKEN = re.compile(r"[a-z2-7]{32}")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a mail turned out to be, in words, and what followed for which of our mails."""

    words: str
    mail: Mailed | None = None
    what: What | None = None
    effect: Effect | None = None


def take_back(app: App, raw: bytes, now: datetime, sent_to: str = "") -> Verdict:
    """Do what a mail asks for that came back; `sent_to` is the address that it came to, if known.

    Raises: StoreError, and then nothing was recorded.
    """
    found = read_return(raw)
    mail = _claimed(app, found.traces, sent_to, complaint=isinstance(found, Complaint))
    match found:
        case Bounce():
            verdict = _bounced(app, mail, found.failures, now)
        case Complaint():
            verdict = _complained(app, mail, found.kind, now)
        case AutoReply():
            verdict = Verdict("an automatic reply", mail)
        case Other():
            verdict = Verdict(found.why, mail)
    _log(verdict)
    return verdict


def refused(app: App, kind: str, number: int, outcome: Refused, now: datetime) -> None:
    """Count what a mail server said of an address when it refused it at once. Raises: StoreError.

    `kind` is that of `Tokens.bounce`.
    """
    severity = of_refusal(outcome.code, outcome.reply)
    mail = app.store.mailed(kind, number)
    if severity is Severity.POLICY or mail is None:
        return
    what = What.HARD if severity is Severity.HARD else What.SOFT
    effect = app.store.take_return(mail, what, outcome.reply, now)
    _log(Verdict("refused at once", mail, what, effect))


def is_ours(app: App, address: str) -> bool:
    """Whether bounces of one of our mails go to this address. Raises: StoreError."""
    return _by_token(app, address) is not None


def _claimed(app: App, traces: Traces, sent_to: str, *, complaint: bool) -> Mailed | None:
    """The mail of ours that a report is about.

    Who has a bounce domain gets each bounce at its token; then an id alone, which stands in every
    reply and every forwarded mail, tells only what a complaint is about (F2).
    """
    for address in filter(None, (sent_to, *traces.addresses)):
        if mail := _by_token(app, address):
            return mail
    if complaint or not app.config.mail.bounce_domain:
        for message_id in traces.message_ids:
            if mail := app.store.mailed_as(message_id):
                return mail
    return None


def _by_token(app: App, address: str) -> Mailed | None:
    """The mail whose token stands in an address, or in a field with several."""
    domain = app.config.mail.bounce_domain
    if not domain:
        return None
    pattern = f"{re.escape(app.config.bounces.prefix)}({TOKEN.pattern})@{re.escape(domain)}"
    for token in re.findall(pattern, address.lower()):
        if said := app.tokens.read_bounce(token):
            mail = app.store.mailed(said.kind, said.number)
            if mail and said.fits(mail.message_id):
                return mail
    return None


def _bounced(
    app: App, mail: Mailed | None, failures: tuple[Failure, ...], now: datetime
) -> Verdict:
    """Count a mail that did not arrive."""
    final = [one for one in failures if one.final]
    if not final:
        return Verdict("delayed, and may still arrive", mail)
    if mail is None:
        return Verdict(f"a bounce for {len(final)}, of no mail that we know")
    if all(one.severity is Severity.POLICY for one in final):
        # For a person to mend, and no subscriber's fault (Q11).
        words = f"refused by policy: {final[0].status} {final[0].diagnostic}"[:300]
        logger.warning("return.policy %s", json.dumps({"words": _without(words, mail)}))
        return Verdict("refused by policy", mail)
    worst = _worst(final, mail)
    what = What.HARD if worst.severity is Severity.HARD else What.SOFT
    note = f"{worst.status} {worst.diagnostic}".strip() or "without a code"
    return Verdict("a bounce", mail, what, app.store.take_return(mail, what, note, now))


def _worst(final: list[Failure], mail: Mailed) -> Failure:
    """The failure that counts: a dead address only if it is the very one that we mailed.

    One that an alias or a forward leads to may be one of many.
    """
    dead = [
        one
        for one in final
        if one.severity is Severity.HARD and one.mailbox.lower() == mail.recipient.lower()
    ]
    if dead:
        return dead[0]
    blamed = next(one for one in final if one.severity is not Severity.POLICY)
    return Failure(
        blamed.recipient, blamed.mailbox, True, Severity.SOFT, blamed.status, blamed.diagnostic
    )


def _complained(app: App, mail: Mailed | None, kind: str, now: datetime) -> Verdict:
    """Do what a reader wants whose mail provider passes it on."""
    what = COMPLAINTS.get(kind)
    if what is None:
        return Verdict(f"a report of kind {kind or 'unknown'}"[:80], mail)
    if mail is None:
        return Verdict("a complaint about no mail that we know")
    effect = app.store.take_return(mail, what, f"a report of kind {kind}", now)
    return Verdict("a complaint", mail, what, effect)


def _without(words: str, mail: Mailed) -> str:
    """Words of a receiver without the address of ours that stands in them (D2)."""
    return re.sub(re.escape(mail.recipient), "…", words, flags=re.IGNORECASE)


def _log(verdict: Verdict) -> None:
    details: dict[str, object] = {"words": verdict.words}
    if verdict.mail:
        details |= {"kind": verdict.mail.kind, "number": verdict.mail.number}
    if verdict.effect:
        details |= {"what": verdict.what, "effect": verdict.effect}
    level = logging.WARNING if verdict.effect is Effect.FLOOD else logging.INFO
    logger.log(level, "return.read %s", json.dumps(details))
