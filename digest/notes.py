"""The words of notes to the operator: how a day went, and what needs somebody at once.

Pure: an account in, words out. No reader's address stands in them (D2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from pydantic import TypeAdapter

from digest.letters import Part, Words
from digest.model import DeliveryState, SubscriberState
from digest.renderer.clean import line
from digest.schedule import zone
from digest.sources.calendar import DAYS, MONTHS

NOTE = "note"
"""The kind of letter that a note is."""

NEAR_BULK = 4_000
"""Messages a day to one of `BULK` from which the operator is warned (A8)."""

BULK = {"google": "Google", "microsoft": "Microsoft"}
"""Receivers that treat a domain as a bulk sender from about 5,000 messages a day on, Google for
good. Source: Google, email sender guidelines FAQ; Microsoft, sender requirements of May 2025."""

MOST_COMPLAINTS = 0.001
"""Share of complaints that receivers ask us to stay below (A9)."""

NAMED = 10
"""Receivers that a note names; the others are summed up."""

WORDS: TypeAdapter[Words] = TypeAdapter(Words)
"""How a note is kept until it is sent, so that every try says the same."""


@dataclass(frozen=True, slots=True)
class Account:
    """How the service did from `since` to `until`, and how it stands at `until`.

    `receivers` are (name, messages), the most first; `sources` has a sentence for each of
    which no trouble tells.
    """

    since: datetime
    until: datetime
    closed: Mapping[DeliveryState, int]
    deferred: int
    bounced: int
    complaints: int
    oldest_waiting_at: datetime | None
    receivers: Sequence[tuple[str, int]]
    sources: Sequence[str]
    subscribers: Mapping[SubscriberState, int]
    troubles: Sequence[str] = ()

    @property
    def messages(self) -> int:
        """All that mail servers took, letters too."""
        return sum(count for _, count in self.receivers)

    @property
    def warnings(self) -> list[str]:
        """What somebody should look at."""
        return [*self.troubles, *self._held(), *near_bulk(self.receivers), *self._complained()]

    def _held(self) -> list[str]:
        """Digests that wait for a word of the operator, and can go out for a day only."""
        count = self.closed.get(DeliveryState.HELD, 0)
        are, they = ("digest is", "it") if count == 1 else ("digests are", "they")
        held = f"{count:,} {are} held, as {they} may have gone out already"
        return [f"{held}: `digest held list` says why."] if count else []

    def _complained(self) -> list[str]:
        share = self.complaints / max(1, self.messages)
        if share < MOST_COMPLAINTS:
            return []
        return [
            f"{share:.2%} of the mails brought a complaint; receivers want less than "
            f"{MOST_COMPLAINTS:.1%}, and lose patience at 0.3%."
        ]


def near_bulk(receivers: Sequence[tuple[str, int]]) -> list[str]:
    """A sentence for each receiver that may soon take us for a bulk sender."""
    return [
        f"{BULK[name]} has taken {count:,} of your mails within a day. From about 5,000 on it "
        "treats a domain as a bulk sender: SPF, DKIM and DMARC must all be right by then."
        for name, count in receivers
        if name in BULK and count >= NEAR_BULK
    ]


def daily(service: str, account: Account, timezone: str, note_at: time, url: str) -> Words:
    """The note on a day; `url` leads to the admin pages, or is empty."""
    name, local = line(service, 80), account.until.astimezone(zone(timezone))
    warnings = account.warnings
    looks = tuple(line(one, 1_000) for one in warnings)
    sources = tuple(line(one, 600) for one in account.sources)
    count = account.closed.get(DeliveryState.SENT, 0)
    sent = f"{count:,} {'digest' if count == 1 else 'digests'} sent"
    things = "thing" if len(warnings) == 1 else "things"
    needs = f"{len(warnings)} {things} to look at" if warnings else "all is well"
    day = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}"
    return Words(
        subject=f"{name}: {sent}, {needs} · {day}",
        title=day,
        before=(f"How {name} did in the day up to {local:%H:%M %Z}: {sent}, {needs}.",),
        parts=(
            *([Part("To look at", lines=looks)] if warnings else []),
            Part("Digests", rows=_figures(account, timezone)),
            Part("Messages by receiver", rows=_receivers(account.receivers)),
            *([Part("Sources", lines=sources)] if sources else []),
        ),
        action="Open the admin pages" if url else "",
        url=url,
        after=(f"This note comes every day at {note_at:%H:%M}, as [operator] in the config says.",),
        cause="as the operator's address in its config",
    )


def alert(service: str, said: str, url: str) -> Words:
    """The note on one trouble that is there now."""
    name, text = line(service, 80), line(said, 1_000)
    return Words(
        subject=f"{name}: {line(said, 100)}",
        title="This needs you",
        before=(text,),
        action="Open the admin pages" if url else "",
        url=url,
        after=(
            "You are told of the same trouble once a day at most. `digest status` says how all "
            "stands now, `digest doctor` looks for the cause.",
        ),
        cause="as the operator's address in its config",
    )


def _figures(account: Account, timezone: str) -> tuple[tuple[str, str], ...]:
    closed, oldest = account.closed, account.oldest_waiting_at
    since = f"{oldest.astimezone(zone(timezone)):%a %d %b, %H:%M %Z}" if oldest else "none waits"
    figures = {
        "Sent": closed.get(DeliveryState.SENT, 0),
        "Without a match": closed.get(DeliveryState.EMPTY, 0),
        "Refused": closed.get(DeliveryState.REFUSED, 0),
        "Put off, to be tried again": account.deferred,
        "Held, for your word": closed.get(DeliveryState.HELD, 0),
        "Bounced": account.bounced,
        "Complaints": account.complaints,
    }
    people = ", ".join(f"{count:,} {state}" for state, count in sorted(account.subscribers.items()))
    return (
        *((name, f"{count:,}") for name, count in figures.items()),
        ("The oldest that waits", since),
        ("Subscribers", people or "none"),
    )


def _receivers(receivers: Sequence[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    rows = [(BULK.get(name, line(name, 60)), f"{count:,}") for name, count in receivers[:NAMED]]
    if rest := receivers[NAMED:]:
        rows.append((f"{len(rest):,} others", f"{sum(count for _, count in rest):,}"))
    return tuple(rows) or (("none", "0"),)
