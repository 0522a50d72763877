"""The form of a subscriber's settings: what its fields hold, and the settings that they mean.

The config's own checks read the form, so that a page, a TOML file and the command line say the
same of the same fault.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from starlette.datastructures import FormData

from digest.addresses import AddressError, check_address
from digest.config import read_subscriber
from digest.errors import ConfigError
from digest.model import WEEKDAYS, Subscriber

ROWS = 5
"""Empty rows for keywords under those that are filled in."""
MOST_ROWS = 500

STAND_IN = "reader@example.org"
"""The address while the other fields are read; their faults are told without it."""
PREFIX = f"form: [[subscribers]] #1 ({STAND_IN}) "
FIELD = re.compile(r"(\w+)(.*?): (.*)", re.DOTALL)
REGIONS = (
    "Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian",
    "Pacific",
)  # fmt: skip

FINER = frozenset({"min_score", "per_day", "trending", "authors", "organizations", "exclude"})
LABELS = {
    "email": "Address",
    "keywords": "Keyword",
    "timezone": "Time zone",
    "send_at": "Hour",
    "days": "Days",
    "min_score": "Floor",
    "max_items": "At most",
    "per_day": "About so many a day",
    "trending": "Most voted",
    "when_empty": "On an empty day",
    "abstracts": "Abstracts",
    "authors": "Authors",
    "organizations": "Labs",
    "exclude": "Never show",
}
"""What a page calls a key of the config."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, in words; `field` is empty for the form as a whole."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """The fields as they stand in the page, each as text."""

    email: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    timezone: str = "UTC"
    send_at: str = "07:30"
    days: tuple[str, ...] = WEEKDAYS
    min_score: str = "0.25"
    max_items: str = "12"
    per_day: str = ""
    trending: str = "0"
    when_empty: str = "skip"
    abstracts: str = "short"
    related: bool = True
    learn: bool = False
    authors: str = ""
    organizations: str = ""
    exclude: str = ""
    faults: tuple[Fault, ...] = field(default=(), compare=False)

    @property
    def wrong(self) -> frozenset[str]:
        """The fields that have a fault."""
        return frozenset(fault.field for fault in self.faults)

    @property
    def is_fine(self) -> bool:
        """Whether one of the finer points is set or wrong, so that they are to be seen."""
        followed = self.authors or self.organizations
        return bool(followed or self.exclude or self.per_day or self.wrong & FINER)

    def with_rows(self, more: int = ROWS) -> SettingsForm:
        """The form with so many empty rows under the filled ones."""
        filled = tuple(row for row in self.rows if row[0].strip())
        free = max(0, min(more, MOST_ROWS - len(filled)))
        return replace(self, rows=filled + (("", ""),) * free)


def form_of(sent: FormData) -> SettingsForm:
    """The form that a browser sent."""

    def one(name: str, default: str = "") -> str:
        value = sent.get(name, default)
        return value.strip() if isinstance(value, str) else default

    terms = [value for value in sent.getlist("term") if isinstance(value, str)]
    weights = [value for value in sent.getlist("weight") if isinstance(value, str)]
    weights += [""] * (len(terms) - len(weights))
    return SettingsForm(
        email=one("email"),
        rows=tuple((t.strip(), w.strip()) for t, w in zip(terms, weights, strict=False)),
        timezone=one("timezone"),
        send_at=one("send_at")[:5],
        days=tuple(str(day) for day in sent.getlist("day")),
        min_score=one("min_score"),
        max_items=one("max_items"),
        per_day=one("per_day"),
        trending=one("trending"),
        when_empty=one("when_empty", "skip"),
        abstracts=one("abstracts", "short"),
        related="related" in sent,
        learn="learn" in sent,
        authors=one("authors"),
        organizations=one("organizations"),
        exclude=one("exclude"),
    )


def form_for(one: Subscriber) -> SettingsForm:
    """The form that shows these settings."""
    wanted = one.profile
    return SettingsForm(
        email=one.email,
        rows=tuple((k.term, f"{k.weight:g}") for k in wanted.keywords),
        timezone=one.timezone,
        send_at=f"{one.send_at:%H:%M}",
        days=one.days,
        min_score=f"{wanted.min_score:g}",
        max_items=str(wanted.max_items),
        per_day=str(wanted.per_day or ""),
        trending=str(wanted.trending),
        when_empty=wanted.when_empty.value,
        abstracts=wanted.abstracts.value,
        related=wanted.related,
        learn=wanted.learn,
        authors="\n".join(wanted.authors),
        organizations="\n".join(wanted.organizations),
        exclude="\n".join(wanted.exclude),
    )


def read_settings(form: SettingsForm) -> tuple[Subscriber | None, tuple[Fault, ...]]:
    """The subscriber that a form means, or its faults, all at once."""
    twice = tuple(_twice(form))
    one, faults = read_table(_table(form), form.email, "UTC")
    return (None if twice else one), (*twice, *faults)


def read_table(
    table: dict[str, Any], address: str, timezone: str
) -> tuple[Subscriber | None, tuple[Fault, ...]]:
    """The subscriber that a table of settings means for an address, or its faults, all at once."""
    faults: list[Fault] = []
    email = STAND_IN
    try:
        email = check_address(address)
    except AddressError as error:
        faults.append(Fault("email", str(error)))
    try:
        one = read_subscriber({**table, "email": STAND_IN}, "form", timezone)
    except ConfigError as error:
        return None, (*faults, *map(fault_of, error.faults))
    if one.profile.asks_for_nothing:
        faults.append(Fault("keywords", "give one at least, or an author to follow"))
    return (None, tuple(faults)) if faults else (replace(one, email=email), ())


def _table(form: SettingsForm) -> dict[str, Any]:
    """The form as a table of the config; what is no number stays text, and is told as a fault."""
    table: dict[str, Any] = {
        "timezone": form.timezone,
        "send_at": form.send_at,
        "days": list(form.days),
        "min_score": _number(form.min_score),
        "max_items": _number(form.max_items),
        "per_day": _number(form.per_day),
        "trending": _number(form.trending),
        "when_empty": form.when_empty,
        "abstracts": form.abstracts,
        "related": form.related,
        "learn": form.learn,
        "authors": _lines(form.authors),
        "organizations": _lines(form.organizations),
        "exclude": _lines(form.exclude),
        "keywords": {term: _number(weight or "1") for term, weight in form.rows if term},
    }
    return {key: value for key, value in table.items() if value != "" or key == "timezone"}


def _twice(form: SettingsForm) -> list[Fault]:
    terms = [term for term, _ in form.rows if term]
    again = dict.fromkeys(term for at, term in enumerate(terms) if term in terms[:at])
    return [Fault("keywords", f"“{term[:80]}” stands there twice") for term in again]


def _number(text: str) -> object:
    for read in (int, float):
        try:
            return read(text.replace(",", ".") if read is float else text)
        except ValueError:
            continue
    return text


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def fault_of(line: str) -> Fault:
    """A fault of the config as one of the form."""
    found = FIELD.fullmatch(line.removeprefix(PREFIX).strip())
    if not found:
        return Fault("", line)
    key, place, what = found.groups()
    return Fault(key, f"{place.strip()} {what}".strip())


@cache
def zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """The time zones by region: (region, ((name, city), …)), with UTC first."""
    known = sorted(available_timezones())
    groups = [
        (
            region,
            tuple(
                (name, name.partition("/")[2].replace("_", " ").replace("/", " / "))
                for name in known
                if name.startswith(f"{region}/")
            ),
        )
        for region in REGIONS
    ]
    return (("Universal", (("UTC", "UTC"),)), *groups)
