"""The store's verbs for everything that goes out: rows in open forms, of one moment.

A table of the database is given row by row with its own names, JSON where it keeps JSON. What is
left out stands in `LEFT_OUT` with its reason; a test holds that no table is forgotten.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any

from pydantic_core import to_jsonable_python

from digest.config.writing import subscriber_table
from digest.model import Digest, Match, SubscriberState
from digest.store.connection import moment
from digest.store.ledger import LedgerVerbs
from digest.store.moved import Extract, Person
from digest.store.subscribers import SUBSCRIBER, subscriber_of
from digest.store.suppression import SuppressionList

logger = logging.getLogger("digest")

PLAIN: Mapping[str, tuple[str, str, Sequence[str]]] = MappingProxyType(
    {
        "consents": (
            "what proves that a subscriber asked for the mail",
            "SELECT subscriber_id, form, client, asked_at, confirmed_at FROM consents ORDER BY id",
            (),
        ),
        "suppressed": (
            "who is never mailed, as keyed hashes: the secret file tells whether one is known",
            "SELECT address AS hash, reason, note, since FROM suppressed ORDER BY since, address",
            (),
        ),
        "signups": (
            "who asked to subscribe within a week, with the settings, and whether they confirmed",
            "SELECT id, body AS wanted, form, client, asked_at, confirmed_at FROM signups"
            " ORDER BY id",
            ("wanted",),
        ),
        "profile_changes": (
            "what was changed in settings within a week, and how they were before",
            "SELECT subscriber_id, changed_at, origin, says, before, listing_key"
            " FROM profile_history ORDER BY id",
            ("says", "before"),
        ),
        "likes": (
            "what subscribers said of listings: 1 is more like this, -1 is less",
            "SELECT subscriber_id, listing_key, value, origin, liked_at, body AS listing FROM likes"
            " ORDER BY subscriber_id, liked_at",
            ("listing",),
        ),
        "listings": (
            "what the sources announced: where each comes from, every identity, when it was seen",
            "SELECT id, first_seen_at, day, sendable AS mailable, body AS listing FROM listings"
            " ORDER BY id",
            ("listing",),
        ),
        "votes": (
            "how many votes a listing had at first sight on a day",
            "SELECT listing_id, seen_on, votes FROM votes ORDER BY listing_id, seen_on",
            (),
        ),
        "source_runs": (
            "what each look at a source brought, and how the source stood then",
            "SELECT id, body AS run FROM source_runs ORDER BY id",
            ("run",),
        ),
        "letters": (
            "mails that are no digest: links to confirm and to manage, notes to the operator",
            "SELECT id, kind, recipient, message_id, state, created_at, attempts, closed_at, code,"
            " reply FROM letters ORDER BY id",
            (),
        ),
        "returns": (
            "what came back for mails: bounces, complaints, wishes to leave",
            "SELECT subscriber_id, message_id, what, domain, failed_on, returned_at, note,"
            " counts FROM returns ORDER BY returned_at, message_id",
            (),
        ),
    }
)
"""Name of a file -> what it holds, how it is read, and which of its columns are JSON."""

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "_sqlite_migrations": "steps of this program; the last stands in the manifest",
        "sqlite_sequence": "SQLite's own",
        "bodies": "part of the deliveries",
        "identities": "part of the listings",
        "snapshots": "part of the deliveries",
        "facets": "made from the listings",
        "search": "made from the listings",
        "terms": "made from the listings",
        "counters": "sums of listings and deliveries, places in files beside the database",
        "api_keys": "proves who may do what here; of no use elsewhere",
        "feed_links": "the same",
        "used_links": "the same",
        "tries": "counts visitors for a day",
        "remembered": "what servers said for the next look; addresses may hold keys",
        "notes": "which letters told the operator what",
        "beats": "what workers did last",
        "service_states": "what the running service says of itself now",
    }
)
"""Tables that no file is of, and why."""

SENT = (
    "SELECT subscriber_id, recipient, code, closed_at, next_attempt_at,"
    " id, state, message_id, digest_on, frame_id, body, prepared_at, attempts, reply, owner,"
    " imprint FROM deliveries JOIN bodies ON delivery_id = id ORDER BY id"
)
PEOPLE = (
    f"SELECT {SUBSCRIBER}, paused_until, created_at, updated_at FROM subscribers"  # noqa: S608
    " WHERE email != '' ORDER BY address_key"
)
PROOF_NAMES = ("form", "asked_at", "confirmed_at")
PROOF = (
    "SELECT form, asked_at, confirmed_at FROM consents WHERE subscriber_id = ?"
    " ORDER BY id DESC LIMIT 1"
)


class ExportVerbs(LedgerVerbs, SuppressionList):
    """Everything out; see `Moved` for what each verb promises."""

    @contextmanager
    def whole(self) -> Iterator[Sequence[Extract]]:
        """Everything that is kept, as it is at one moment; no secret."""
        with self.at_one_moment():
            yield [
                Extract("subscribers", "who is mailed, and with which settings", self._people()),
                Extract("deliveries", "each digest: its fate, and what it showed", self._sent()),
                *(
                    Extract(name, holds, self._plain(sql, parsed))
                    for name, (holds, sql, parsed) in PLAIN.items()
                ),
            ]

    def people(self) -> Iterator[Person]:
        """Every subscriber that is not removed, in the order of addresses, read as asked for."""
        for *row, paused_until, _, _ in self.stream(PEOPLE):
            try:
                one = subscriber_of(row)
            except ValueError:
                logger.exception("subscriber.unreadable %s", json.dumps({"subscriber": row[0]}))
                continue
            if one.state is not SubscriberState.REMOVED:
                proof = next(iter(self.rows(PROOF, (one.id,))), None)
                held = self.suppression(one.email)
                yield Person(
                    one,
                    dict(zip(PROOF_NAMES, proof, strict=True)) if proof else None,
                    held.reason if held else "",
                    moment(paused_until) if paused_until else None,
                )

    def _people(self) -> Iterator[Mapping[str, Any]]:
        for *row, paused_until, created_at, updated_at in self.stream(PEOPLE):
            said = {"id": row[0], "state": row[3], "origin": row[2], "paused_until": paused_until}
            said |= {"created_at": created_at, "updated_at": updated_at}
            try:
                yield said | subscriber_table(subscriber_of(row))
            except ValueError:  # it is not lost for that
                yield said | {"unreadable": row}

    def _sent(self) -> Iterator[Mapping[str, Any]]:
        for subscriber_id, recipient, code, closed_at, again_at, *row in self.stream(SENT):
            number, state, message_id, digest_on, _, body, prepared_at, attempts, reply, *_ = row
            said = {
                "id": number,
                "subscriber_id": subscriber_id,
                "digest_on": digest_on,
                "state": state,
                "recipient": recipient,
                "message_id": message_id,
                "prepared_at": prepared_at,
                "attempts": attempts,
                "next_attempt_at": again_at,
                "closed_at": closed_at,
                "code": code,
                "reply": reply,
            }
            try:
                yield said | _shown(self._delivery(row).digest)
            except (ValueError, LookupError, TypeError):
                logger.exception("delivery.unreadable %s", json.dumps({"delivery": number}))
                yield said | {"unreadable": body}

    def _plain(self, sql: str, parsed: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        names = names_of(sql)
        for row in self.stream(sql):
            made = dict(zip(names, row, strict=True))
            for name in parsed:
                with suppress(ValueError):  # then it stays the text that it is
                    made[name] = json.loads(made[name])
            yield made


def names_of(sql: str) -> Sequence[str]:
    """What the columns of a plain `SELECT` are called."""
    listed, _, _ = sql.removeprefix("SELECT ").partition(" FROM ")
    return [column.rpartition(" ")[2] for column in listed.split(", ")]


def _shown(digest: Digest) -> dict[str, Any]:
    """What a digest held, as JSON has it."""
    receipt = digest.receipt
    return {
        "empty_reason": digest.empty_reason,
        "considered": receipt.considered,
        "matched": receipt.matched,
        "shown": receipt.shown,
        "waiting": receipt.waiting,
        "sections": [
            {"name": section.name, "matches": [_match(each) for each in section.matches]}
            for section in digest.sections
        ],
        "settings": subscriber_table(digest.subscriber),
    }


def _match(match: Match) -> dict[str, Any]:
    listing = match.listing
    return {
        "key": listing.key,
        "title": listing.title,
        "url": listing.url,
        "source": listing.source,
        "score": match.score,
        "reasons": to_jsonable_python(tuple(match.reasons)),
    }
