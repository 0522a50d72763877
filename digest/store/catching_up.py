"""A database brought up to date by the file beside it, once it is opened; see `Journal`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from digest.model import SubscriberState
from digest.store.connection import Statements, moment
from digest.store.journal import UNSUBSCRIBED, Entry
from digest.store.people import ERASED, PersonVerbs
from digest.store.returned import Reason
from digest.store.subscribers import set_row_state
from digest.store.suppression import PUT_SUPPRESSED

logger = logging.getLogger("digest")

LIVING = "('active', 'paused', 'pending', 'suppressed')"
LEAVING = {UNSUBSCRIBED, Reason.LEFT, Reason.COMPLAINED}
"""Words of the file after which a subscriber is unsubscribed; after the others, suppressed."""


class CatchingUp(PersonVerbs):
    """What a restored backup does not know."""

    def catch_up(self) -> None:
        """Take in what the file says and the database does not. Raises: StoreError."""
        if not self._is_behind():
            return
        erased: list[tuple[int, str]] = []
        with self.writing() as db:
            news = self._news(db)
            for address, entry in news.items():
                _take_in(db, address, entry)
            if news:
                erased = self._settle(db, news)
        for subscriber_id, since in erased:
            self.erase(subscriber_id, moment(since))
        if news:
            details = {"addresses": len(news), "erased": len(erased)}
            logger.warning("store.caught_up %s", json.dumps(details))

    def _settle(self, db: Statements, news: Mapping[str, Entry]) -> list[tuple[int, str]]:
        """Give the subscribers' rows their states; (row, when) of those that are to be erased."""
        erased = []
        rows = db.execute(
            f"SELECT id, email, state FROM subscribers WHERE email != '' AND state IN {LIVING}"  # noqa: S608 - a constant
        ).fetchall()
        for row_id, email, state in rows:
            entry = next((news[one] for one in self._hashed(email) if one in news), None)
            if entry is None:
                continue
            reason, note, since = entry
            wanted = _state_after(reason, SubscriberState(state))
            if wanted != state:
                set_row_state(db, row_id, wanted, moment(since))
            if reason == Reason.LEFT and note == ERASED:
                erased.append((row_id, since))
        return erased


def _state_after(reason: str, before: SubscriberState) -> SubscriberState:
    if reason in LEAVING:
        return SubscriberState.UNSUBSCRIBED
    if reason:
        return SubscriberState.SUPPRESSED
    return SubscriberState.ACTIVE if before is SubscriberState.SUPPRESSED else before


def _take_in(db: Statements, address: str, entry: Entry) -> None:
    reason, note, since = entry
    known = db.execute("SELECT since FROM suppressed WHERE address = ?", (address,)).fetchone()
    if known and known[0] > since:  # a later word, of another machine
        return
    if reason in set(Reason):
        db.execute(PUT_SUPPRESSED, (address, reason, note, since))
    elif not reason:
        db.execute("DELETE FROM suppressed WHERE address = ?", (address,))
