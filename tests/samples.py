"""Small nouns for tests, each with what the test names and quiet defaults for the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from digest.model import (
    Digest,
    Frame,
    Keyword,
    Listing,
    Match,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    Subscriber,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)  # a Friday

FRAME = Frame(
    service_name="Paper digest",
    sender=("Paper digest", "digest@example.org"),
    base_url="https://digest.example.org",
    list_id="digest.example.org",
)


def listing(title: str, **fields: Any) -> Listing:
    """A listing with that title; its key is made from it."""
    key = fields.pop("key", "title:" + title.lower().replace(" ", "-"))
    return Listing(key=key, source=fields.pop("source", "test"), title=title, **fields)


def profile(**fields: Any) -> Profile:
    """A profile; `keywords` may be a mapping of term to weight."""
    keywords = fields.pop("keywords", {"flash attention": 2.0})
    return Profile(keywords=tuple(Keyword(t, w) for t, w in keywords.items()), **fields)


def subscriber(email: str = "ada@example.org", **fields: Any) -> Subscriber:
    """A subscriber with a small profile."""
    return Subscriber(email=email, profile=fields.pop("profile", profile()), **fields)


def digest_of(one: Subscriber, *listings: Listing, **fields: Any) -> Digest:
    """A digest that shows these listings in one section."""
    matches = tuple(Match(n, 0.5, (Reason("flash attention", "title", 0.5),)) for n in listings)
    sections = (Section(SectionName.FOR_YOU, matches),) if matches else ()
    receipt = Receipt(considered=len(listings), matched=len(listings), shown=len(listings))
    return Digest(
        one,
        fields.pop("digest_on", NOW.date()),
        sections,
        fields.pop("receipt", receipt),
        mailed=fields.pop("mailed", bool(matches)),
        **fields,
    )
