"""The store's verbs for people who come from another system."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime

from digest.model import Origin, SubscriberState
from digest.store import Letter, Signup
from digest.store.connection import Statements, stamp
from digest.store.moved import VOUCHED, Landed, Landing, Newcomer, Proof
from digest.store.returned import Reason, Suppression
from digest.store.signups import KEEP_LETTERS, keep, letter_id, letters_since, queue
from digest.store.subscribers import put_row, set_row_state
from digest.store.suppression import SuppressionList, strength

KNOWN = (
    "SELECT lower(address_key), id, state FROM subscribers"
    " WHERE lower(address_key) IN (SELECT value FROM json_each(?))"
)
"""By the folded address: who left as `ada@` is not mailed as `Ada@`."""

OWN_WORD = "SELECT 1 FROM consents WHERE subscriber_id = ? AND form NOT LIKE ? || '%'"
ASKED = "SELECT 1 FROM signups WHERE address_key = ? AND confirmed_at IS NULL"

MAILED = (SubscriberState.ACTIVE, SubscriberState.PAUSED, SubscriberState.PENDING)

Rows = Sequence[tuple[int, SubscriberState]]
"""(number, state) of the subscribers that an address has here."""


class MovingVerbs(SuppressionList):
    """Who comes; see `Moved` for what the verb promises."""

    def move_in(
        self, newcomers: Sequence[Newcomer], domain: str, now: datetime, *, dry: bool = False
    ) -> Sequence[Landed]:
        """Take in people, each address once, or only say what would become of them."""
        with self.at_one_moment() if dry else self.writing() as db:
            known = self._here(db, newcomers)
            landed = [self._landing(db, one, known[_folded(one)], now) for one in newcomers]
            if not dry:
                for one, fate in zip(newcomers, landed, strict=True):
                    if one.reason:
                        _stop(db, one, known[_folded(one)], now)
                    else:
                        _join(db, one, fate.landing, domain, now)
                self._list_all(db, _gone(newcomers, landed), now)
        return landed

    def _here(self, db: Statements, newcomers: Sequence[Newcomer]) -> Mapping[str, Rows]:
        found: dict[str, list[tuple[int, SubscriberState]]] = defaultdict(list)
        keys = json.dumps([_folded(one) for one in newcomers])
        for key, row_id, state in db.execute(KNOWN, (keys,)):
            found[key].append((row_id, SubscriberState(state)))
        return found

    def _landing(self, db: Statements, one: Newcomer, rows: Rows, now: datetime) -> Landed:
        """What becomes of a newcomer, as things stand."""
        states = {state for _, state in rows}
        held = self._listed(one.wanted.email)
        if one.reason:
            if any(_has_said_yes(db, row_id) for row_id, state in rows if state in MAILED):
                return Landed(Landing.KEPT)
            return Landed(_ending(one.reason, states, held))
        if SubscriberState.UNSUBSCRIBED in states:
            return Landed(Landing.UNSUBSCRIBED, held)
        if held or SubscriberState.SUPPRESSED in states:
            return Landed(Landing.SUPPRESSED, held)
        if not states.isdisjoint(MAILED):
            return Landed(Landing.HERE)
        return Landed(Landing.ADDED if one.proof else _asking(db, one, now))


def _ending(reason: Reason, states: Set[SubscriberState], held: Suppression | None) -> Landing:
    """What becomes of somebody who is to get no mail and has not confirmed here."""
    if not states.isdisjoint(MAILED):
        return Landing.ENDED
    left = SubscriberState.UNSUBSCRIBED in states and reason is not Reason.COMPLAINED
    if left or (held and strength(held.reason) >= strength(reason)):
        return Landing.STOPPED_BEFORE
    return Landing.STOPPED


def _asking(db: Statements, one: Newcomer, now: datetime) -> Landing:
    """Whether somebody is asked: nobody is asked twice because a list is imported twice."""
    asked = db.execute(ASKED, (one.wanted.email,)).fetchone()
    if asked or letters_since(db, one.address, now - KEEP_LETTERS):
        return Landing.WAITING
    return Landing.ASKED


def _folded(one: Newcomer) -> str:
    return one.wanted.email.lower()


def _has_said_yes(db: Statements, subscriber_id: int) -> bool:
    """Whether somebody has confirmed here by themselves, which no other list takes back."""
    return db.execute(OWN_WORD, (subscriber_id, VOUCHED)).fetchone() is not None


def _join(db: Statements, one: Newcomer, landing: Landing, domain: str, now: datetime) -> None:
    """Subscribe somebody, or ask them, where that was found to be right."""
    if landing is Landing.ADDED and one.proof:
        _add(db, one, one.proof, now)
    if landing is Landing.ASKED:
        wanted = replace(one.wanted, origin=Origin.STORE, state=SubscriberState.ACTIVE)
        number = keep(db, Signup(wanted, one.form, "", now), now)
        letter = Letter(0, "signup", wanted.email, number, letter_id(domain), now)
        queue(db, letter, one.address)


def _add(db: Statements, one: Newcomer, proof: Proof, now: datetime) -> None:
    row_id = put_row(db, replace(one.wanted, origin=Origin.STORE), now)
    if one.paused_until:
        until = stamp(one.paused_until)
        db.execute("UPDATE subscribers SET paused_until = ? WHERE id = ?", (until, row_id))
    db.execute(
        "INSERT INTO consents (subscriber_id, form, client, asked_at, confirmed_at)"
        " VALUES (?, ?, '', ?, ?)",
        (row_id, proof.form, stamp(proof.asked_at), stamp(proof.confirmed_at)),
    )


def _stop(db: Statements, one: Newcomer, rows: Rows, now: datetime) -> None:
    """Let nothing go to an address that an import brought here, or would have."""
    said = one.reason in {Reason.LEFT, Reason.COMPLAINED}
    state = SubscriberState.UNSUBSCRIBED if said else SubscriberState.SUPPRESSED
    for row_id, before in rows:
        if before in MAILED and not _has_said_yes(db, row_id):
            set_row_state(db, row_id, state, now)
    db.execute(  # whose letter then says nothing, and is not sent
        "DELETE FROM signups WHERE lower(address_key) = ? AND form = ?", (_folded(one), one.form)
    )


def _gone(
    newcomers: Sequence[Newcomer], landed: Sequence[Landed]
) -> Sequence[tuple[str, Reason, str]]:
    """(address, reason, note) of those who come onto the suppression list."""
    return [
        (one.wanted.email, one.reason, one.note)
        for one, fate in zip(newcomers, landed, strict=True)
        if one.reason and fate.landing in {Landing.STOPPED, Landing.ENDED}
    ]
