"""What the columns of a table mean, by the names that people and programs give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from digest.roster.cells import READERS

FORMATS = ("csv", "listmonk", "mailman")
"""Files that are read: a table with a head, listmonk's export, Mailman's lists of members."""

ADDRESS = ("email", "emailaddress", "mailaddress", "mail", "address", "subscriber", "recipient")
"""Names of the column with the address, without blanks and signs; the first that is there."""

OTHERS: Mapping[str, Sequence[str]] = {
    "name": ("name", "fullname", "displayname"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "familyname", "surname"),
    "joined_at": ("joinedat", "createdat", "subscribedat", "optintime", "dateadded"),
    "consent": ("consent",),
    "confirmed_at": ("confirmedat", "confirmtime"),
    "paused_until": ("pauseduntil",),
    "attributes": ("attributes", "attribs"),
    "timezone": ("timezone", "tz"),
    "keywords": ("keywords", "keyword"),
}
"""Names of further columns, the first that is there; settings go by the names of the config too."""

THEIRS = {"ack", "digest", "hide", "id", "mod", "nodupes", "notmetoo", "plain", "updatedat", "uuid"}
"""Columns that listmonk and Mailman need for themselves: nobody is told that they are not used."""

STATES = ("state", "status", "subscriptionstatus", "suppressedfor")
"""Columns that say how somebody stands; all that are there count."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row each meaning stands. `unused` are heads that mean nothing here.

    `settings` has the places of what the config knows; `subscription` tells whether one of the
    states is that of a single list among several.
    """

    email: int
    places: Mapping[str, int]
    states: tuple[int, ...]
    nomail: int | None
    unused: tuple[str, ...]
    width: int
    settings: tuple[tuple[str, int], ...] = ()
    subscription: bool = False

    @property
    def brings_profiles(self) -> bool:
        """Whether a row can say what somebody wants to read."""
        wanted = {"keywords", "attributes", "authors", "organizations", "trending"}
        return not wanted.isdisjoint(self.places)


def columns_of(head: Sequence[str]) -> Columns | None:
    """The meaning of a head, or None where no column is one of addresses."""
    names = [folded(cell) for cell in head]
    email = next((names.index(name) for name in ADDRESS if name in names), None)
    if email is None:
        return None
    places = {}
    for meaning in (*OTHERS, *READERS):
        known = (*OTHERS.get(meaning, ()), meaning.replace("_", ""))
        if found := [names.index(name) for name in known if name in names]:
            places[meaning] = found[0]
    states = tuple(names.index(name) for name in STATES if name in names)
    nomail = names.index("nomail") if "nomail" in names else None
    used = {email, *places.values(), *states, nomail}
    return Columns(
        email=email,
        places=places,
        states=states,
        nomail=nomail,
        unused=tuple(
            cell.strip()
            for at, cell in enumerate(head)
            if at not in used and names[at] not in THEIRS
        ),
        width=len(head),
        settings=tuple((name, places[name]) for name in READERS if name in places),
        subscription="subscriptionstatus" in names,
    )


def format_of(head: Sequence[str], columns: Columns) -> str:
    """Whose table it is, by its head.

    Source: the heads that listmonk (`cmd/subscribers.go`, since 1.0) and Mailman's
    `mailman-subscribers.py --csv` write.
    """
    names = {folded(cell) for cell in head}
    if {"uuid", "email", "status"} <= names or "subscriptionstatus" in names:
        return "listmonk"
    return "mailman" if columns.nomail is not None else "csv"


def meant(unused: str) -> str:
    """The setting that an unused head may have been meant to be, or empty."""
    known = {name.replace("_", ""): name for name in ("state", "consent", *READERS)}
    near = get_close_matches(folded(unused), known, n=1, cutoff=0.8)
    return known[near[0]] if near else ""


def folded(head: str) -> str:
    """A head without case, blanks and signs."""
    return re.sub(r"[\W_]", "", head.casefold())
