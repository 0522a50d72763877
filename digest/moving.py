"""The story of moving: people come from another system's list, and everything goes out again.

A file of people is read twice: once to see which row counts for each address, once to do what it
says, two thousand at a time. So two rows that disagree are settled before anybody is mailed, and a
run that was cut off is run again: what was done is found done. Nobody who left, here or there, is
mailed for it (U8), and who comes without a proof that they agreed is asked first (O1).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from digest.app import App
from digest.config import read_subscriber
from digest.config.writing import subscriber_table
from digest.errors import ConfigError, StoreError
from digest.model import Profile, Subscriber, SubscriberState
from digest.roster import Entry, Fault, Roster, There
from digest.roster.entries import STRENGTH
from digest.signup import INVITATION
from digest.store.moved import VOUCHED, Landed, Landing, Newcomer, Proof
from digest.store.returned import Reason
from digest.store.seen import Seen

BATCH = 2000
"""People of one transaction: the running service waits for no more than these."""
MOST_FAULTS = 1000
"""Rows whose faults are kept to be told; the others are counted."""
MAX_CONSENT = 300
STAND_IN = "row@example.org"
"""An address for settings that many rows share; each has its own put in its place."""

REASONS = {
    There.FAILING: Reason.FAILING,
    There.BOUNCED: Reason.BOUNCED,
    There.BLOCKED: Reason.BLOCKED,
    There.LEFT: Reason.LEFT,
    There.COMPLAINED: Reason.COMPLAINED,
}

Done = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms people come in.

    `like` has the settings of those whose row brings none. `consent` is where and when they agreed,
    by the operator's word. With `gone` the whole list is of people who are to get no mail.
    """

    like: Subscriber | None = None
    consent: str = ""
    gone: bool = False


@dataclass(slots=True)
class Tally:
    """What became of a list, or would. `held` counts the reasons of those suppressed here.

    `ended` are the addresses that were mailed here until now.
    """

    landed: Counter[Landing] = field(default_factory=Counter)
    held: Counter[Reason] = field(default_factory=Counter)
    repeated: int = 0
    invalid: int = 0
    faults: list[Fault] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def blame(self, fault: Fault) -> None:
        """Count a row that is not used."""
        self.invalid += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)

    def count(self, one: Newcomer, fate: Landed) -> None:
        """Count a person."""
        self.landed[fate.landing] += 1
        if fate.landing is Landing.SUPPRESSED:
            self.held[fate.held.reason if fate.held else Reason.BLOCKED] += 1
        if fate.landing is Landing.ENDED and len(self.ended) < MOST_FAULTS:
            self.ended.append(one.wanted.email)


def move_in(  # noqa: PLR0913  # the last two have defaults that suit a program
    app: App,
    roster: Roster,
    terms: Terms,
    now: datetime,
    *,
    dry: bool = False,
    done: Done = lambda more: None,
) -> Tally:
    """Take in the people of a list, or only say what would become of them (`dry`).

    Raises: ConfigError before anything is changed, where nobody says what the people want to read.
    """
    wishes, tally = Wishes(app, roster, terms), Tally()
    domain = app.frame.sender[1].rpartition("@")[2]
    try:
        with Seen() as seen:
            for entry in _entries(roster):
                wishes.check(entry)
                seen.note(entry.key, entry.line, _rank(entry))
            counted = _counted(wishes, seen, tally, now)
            while batch := list(islice(counted, BATCH)):
                landed = app.store.move_in(batch, domain, now, dry=dry)
                for one, fate in zip(batch, landed, strict=True):
                    tally.count(one, fate)
                done(len(batch))
    except OSError as error:
        raise StoreError(f"{roster.path} cannot be read: {error.strerror or error}") from error
    return tally


def _entries(roster: Roster) -> Iterator[Entry]:
    return (row for row in roster.rows() if isinstance(row, Entry))


def _rank(entry: Entry) -> int:
    """Of two rows with one address the strongest word of no counts, whatever the other says."""
    return STRENGTH[entry.there] if entry.there.gets_no_mail else 0


def _counted(wishes: Wishes, seen: Seen, tally: Tally, now: datetime) -> Iterator[Newcomer]:
    """The people of the rows that count; the others are put down in the tally."""
    for row in wishes.roster.rows():
        if isinstance(row, Fault):
            tally.blame(row)
        elif seen.line(row.key) != row.line:
            tally.repeated += 1
        else:
            try:
                yield wishes.newcomer(row, now)
            except ConfigError as error:
                tally.blame(Fault(row.line, error.faults[0]))


class Wishes:
    """What the people of a list want to read, and on whose word they come."""

    def __init__(self, app: App, roster: Roster, terms: Terms) -> None:
        self.roster, self.terms = roster, terms
        self._timezone = app.config.service.timezone
        self._address = app.tokens.address
        like = terms.like
        if like and like.profile.asks_for_nothing:
            raise ConfigError([f"{like.email} asks for nothing: the profile needs a keyword"])
        self._base = subscriber_table(like) if like else {}
        self._settings = lru_cache(maxsize=1000)(self._read)

    def check(self, entry: Entry) -> None:
        """Nothing, if this list can say what somebody wants. Raises: ConfigError."""
        if self._base or self.roster.brings_profiles or self._reason(entry):
            return
        path = self.roster.path
        raise ConfigError(
            [
                f"{path}: says nothing of what its people want to read; name a profile for them: "
                f"`digest subscribers import {path} --profile PROFILE`, which is a TOML file or "
                "the address of a subscriber"
            ]
        )

    def newcomer(self, entry: Entry, now: datetime) -> Newcomer:
        """The person of a row. Raises: ConfigError with what is wrong with their settings."""
        if reason := self._reason(entry):
            note = f"{entry.there} in {self.roster.path.name}, imported"
            if entry.there is There.SUBSCRIBED:
                note = f"in {self.roster.path.name}, imported as gone"
            return Newcomer(Subscriber(entry.email, Profile()), reason, note, form=INVITATION)
        paused = entry.there is There.PAUSED and (
            entry.paused_until is None or entry.paused_until > now
        )
        wanted = replace(
            self._wanted(entry),
            email=entry.email,
            name=entry.name,
            state=SubscriberState.PAUSED if paused else SubscriberState.ACTIVE,
        )
        return Newcomer(
            wanted,
            proof=self._proof(entry, now),
            paused_until=entry.paused_until if paused else None,
            address=self._address(entry.email),
            form=INVITATION,
        )

    def _reason(self, entry: Entry) -> Reason | None:
        return REASONS.get(entry.there) or (Reason.LEFT if self.terms.gone else None)

    def _proof(self, entry: Entry, now: datetime) -> Proof | None:
        """What shows that they agreed; who never confirmed there has to here, whoever vouches."""
        said = entry.consent or self.terms.consent
        if entry.there is There.UNCONFIRMED or not said:
            return None
        form = VOUCHED + said.removeprefix(VOUCHED)[:MAX_CONSENT]
        return Proof(form, entry.joined_at or now, entry.confirmed_at or now)

    def _wanted(self, entry: Entry) -> Subscriber:
        try:
            return self._settings(json.dumps(dict(entry.settings)))
        except RecursionError:
            raise ConfigError(["its settings are nested too deep"]) from None

    def _read(self, settings: str) -> Subscriber:
        table: dict[str, Any] = {**self._base, **json.loads(settings), "email": STAND_IN}
        try:
            one = read_subscriber(table, "", self._timezone)
        except ConfigError as error:
            told = [fault.partition(f"({STAND_IN}) ")[2] or fault for fault in error.faults]
            raise ConfigError(told) from None
        if one.profile.asks_for_nothing:
            raise ConfigError(["no keywords; `--profile` gives one to those who have none"])
        return one
