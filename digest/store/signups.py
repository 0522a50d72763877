"""The store's verbs for sign-ups: who asked, how often, and what proves it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from digest.model import Origin, Subscriber, SubscriberState
from digest.store import Letter, Signup, SignupLimits
from digest.store.connection import Statements, moment, stamp
from digest.store.freeze import SUBSCRIBER
from digest.store.remembering import KEEP_REVISIONS
from digest.store.returned import Reason
from digest.store.returns import revive
from digest.store.subscribers import (
    SELECT_SUBSCRIBER,
    address_key,
    put_row,
    set_row_state,
    subscriber_of,
)
from digest.store.suppression import SuppressionList

KEEP_SIGNUPS = timedelta(days=7)
KEEP_LETTERS = timedelta(days=30)
KEEP_TRIES = timedelta(days=2)
KEEP_CLIENTS = timedelta(days=30)
LIVING = (SubscriberState.ACTIVE, SubscriberState.PAUSED)


class SignupVerbs(SuppressionList):
    """Who wants to be mailed; see `Store` for what each verb promises."""

    def sign_up(self, asked: Signup, limits: SignupLimits, domain: str, now: datetime) -> bool:
        """Keep a sign-up and queue its letter; false, and nothing kept, beyond a limit."""
        with self.writing() as db:
            if _is_beyond(db, asked.network, limits, now):
                return False
            db.execute(
                "INSERT INTO tries (network, tried_at) VALUES (?, ?)", (asked.network, stamp(now))
            )
            signup_id = keep(db, asked, now)
            complained = self._complained(asked)
            if not complained and _may_write(db, asked.address, limits, now):
                email, message_id = asked.wanted.email, letter_id(domain)
                queue(db, Letter(0, "signup", email, signup_id, message_id, now), asked.address)
        return True

    def signup(self, signup_id: int) -> Signup | None:
        """A sign-up that was not deleted yet."""
        rows = self.rows(
            "SELECT id, body, form, client, asked_at, confirmed_at FROM signups WHERE id = ?",
            (signup_id,),
        )
        return _signup(rows[0]) if rows else None

    def confirm(self, signup_id: int, now: datetime) -> Subscriber | None:
        """The sign-up's person as an active subscriber, with the proof; None where there is none.

        Who is subscribed already keeps their settings, and so does a subscriber of the file.
        """
        with self.writing() as db:
            asked = self.signup(signup_id)
            if asked is None or (asked.confirmed_at and not _living(db, asked)):
                return None  # a link that did its work does not bring back who has left since
            if self._complained(asked):
                return None
            self._unlist(db, asked.wanted.email, now)
            revive(db, asked.wanted.email, now)
            subscriber_id = _subscribe(db, asked, now)
            db.execute(
                "INSERT INTO consents (subscriber_id, form, client, asked_at, confirmed_at)"
                " SELECT ?, form, client, asked_at, ? FROM signups"
                " WHERE id = ? AND confirmed_at IS NULL",
                (subscriber_id, stamp(now), signup_id),
            )
            db.execute(
                "UPDATE signups SET confirmed_at = ? WHERE id = ? AND confirmed_at IS NULL",
                (stamp(now), signup_id),
            )
            row = db.execute(SELECT_SUBSCRIBER + " WHERE id = ?", (subscriber_id,)).fetchone()
        return subscriber_of(row)

    def _complained(self, asked: Signup) -> bool:
        """Whether a complaint about our mail came from the address: then not even a letter goes."""
        known = self._listed(asked.wanted.email)
        return known is not None and known.reason is Reason.COMPLAINED

    def ask_for_link(
        self, subscriber: Subscriber, address: str, domain: str, per_day: int, now: datetime
    ) -> bool:
        """Queue a letter with a fresh link; false when so many were asked for today."""
        with self.writing() as db:
            if letters_since(db, address, now - timedelta(days=1)) >= per_day:
                return False
            letter = Letter(0, "link", subscriber.email, None, letter_id(domain), now)
            queue(db, letter, address)
        return True

    def tidy_signups(self, now: datetime) -> Mapping[str, int]:
        """Delete what retention no longer allows; returns how many rows per table."""
        with self.writing() as db:
            db.execute(
                "UPDATE letters SET recipient = '', reply = '' WHERE closed_at < ?",
                (stamp(now - KEEP_SIGNUPS),),
            )
            db.execute(  # the proof needs the times and the form for good, and not the network
                "UPDATE consents SET client = '' WHERE client != '' AND confirmed_at < ?",
                (stamp(now - KEEP_CLIENTS),),
            )
            return {
                table: db.execute(f"DELETE FROM {table} WHERE {column} < ?", (stamp(old),)).rowcount  # noqa: S608 - constants
                for table, column, old in (
                    ("signups", "asked_at", now - KEEP_SIGNUPS),
                    ("letters", "created_at", now - KEEP_LETTERS),
                    ("tries", "tried_at", now - KEEP_TRIES),
                    ("used_links", "used_at", now - KEEP_LETTERS),
                    ("notes", "noted_at", now - KEEP_LETTERS),
                    ("profile_history", "changed_at", now - KEEP_REVISIONS),
                )
            }


def _is_beyond(db: Statements, network: str, limits: SignupLimits, now: datetime) -> bool:
    """Whether this network today, or everybody this hour, has signed up often enough."""
    (own,) = db.execute(
        "SELECT count(*) FROM tries WHERE network = ? AND tried_at > ?",
        (network, stamp(now - timedelta(days=1))),
    ).fetchone()
    (all_,) = db.execute(
        "SELECT count(*) FROM tries WHERE tried_at > ?", (stamp(now - timedelta(hours=1)),)
    ).fetchone()
    return bool(own >= limits.per_network_day or all_ >= limits.per_hour)


def _may_write(db: Statements, address: str, limits: SignupLimits, now: datetime) -> bool:
    """Whether this address may get one more letter that a stranger may have asked for."""
    today = letters_since(db, address, now - timedelta(days=1))
    month = letters_since(db, address, now - timedelta(days=30))
    return today < limits.per_address_day and month < limits.per_address_month


def letters_since(db: Statements, address: str, since: datetime) -> int:
    """How many letters were written to an address since then, by its keyed hash."""
    (count,) = db.execute(
        "SELECT count(*) FROM letters WHERE address = ? AND created_at > ?", (address, stamp(since))
    ).fetchone()
    return int(count)


def keep(db: Statements, asked: Signup, now: datetime) -> int:
    """The row of a sign-up; who asks again before confirming gets what they asked for last."""
    row = db.execute(
        "INSERT INTO signups (address_key, body, form, client, asked_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (address_key) DO UPDATE SET body = excluded.body, form = excluded.form,"
        " client = excluded.client, asked_at = excluded.asked_at, confirmed_at = NULL"
        " RETURNING id",
        (
            address_key(asked.wanted.email),
            SUBSCRIBER.dump_json(asked.wanted).decode(),
            asked.form,
            asked.client,
            stamp(now),
        ),
    ).fetchone()
    return int(row[0])


def queue(db: Statements, letter: Letter, address: str) -> int:
    """Let a letter wait for its first try, within a transaction; returns its number."""
    row = db.execute(
        "INSERT INTO letters (kind, recipient, address, signup_id, message_id, state, created_at,"
        " attempts, unknowns, next_attempt_at, owner, code, reply, body)"
        " VALUES (?, ?, ?, ?, ?, 'queued', ?, 0, 0, ?, '', 0, '', ?) RETURNING id",
        (
            letter.kind,
            letter.recipient,
            address,
            letter.signup_id,
            letter.message_id,
            stamp(letter.created_at),
            stamp(letter.created_at),
            letter.body,
        ),
    ).fetchone()
    return int(row[0])


def letter_id(domain: str) -> str:
    """A fresh Message-ID for a letter, without angles."""
    return f"letter.{secrets.token_hex(10)}@{domain}"


def _living(db: Statements, asked: Signup) -> bool:
    """Whether the person of a sign-up is a subscriber who has not left."""
    row = db.execute(
        "SELECT state FROM subscribers WHERE address_key = ?", (address_key(asked.wanted.email),)
    ).fetchone()
    return row is not None and row[0] in LIVING


def _subscribe(db: Statements, asked: Signup, now: datetime) -> int:
    """Make the person of a sign-up active; returns their number."""
    row = db.execute(
        SELECT_SUBSCRIBER + " WHERE address_key = ?", (address_key(asked.wanted.email),)
    ).fetchone()
    known = subscriber_of(row) if row else None
    if known and known.state in LIVING:
        return known.id
    removed = known is None or known.state is SubscriberState.REMOVED
    if known and not removed and known.origin is Origin.FILE:
        subscriber_id = known.id
    else:
        wanted = replace(asked.wanted, origin=Origin.STORE, state=SubscriberState.ACTIVE)
        subscriber_id = put_row(db, wanted, now)
    set_row_state(db, subscriber_id, SubscriberState.ACTIVE, now)
    return subscriber_id


def _signup(row: tuple[Any, ...]) -> Signup:
    number, body, form, client, asked_at, confirmed_at = row
    return Signup(
        wanted=SUBSCRIBER.validate_json(body),
        form=form,
        client=client,
        asked_at=moment(asked_at),
        confirmed_at=moment(confirmed_at) if confirmed_at else None,
        id=number,
    )
