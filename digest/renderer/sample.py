"""A digest with everything in it, to try a frame's templates on."""

from __future__ import annotations

from datetime import UTC, date, datetime

from digest.model import (
    Digest,
    Keyword,
    Link,
    Listing,
    Match,
    PersonalLinks,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
)

_DAY = date(2026, 11, 20)
_FIRST = Listing(
    key="arxiv:2611.00001",
    source="arxiv",
    title=r"Draft Models that Decode in $\mathcal{O}(k^{-3})$ Steps",
    abstract=(
        "We show that a *small* draft model makes speculative decoding faster. Each step accepts "
        "more tokens. The proof is short. A fourth sentence is not shown."
    ),
    authors=("Emmy Noether", "Ada Lovelace", "Sofia Kovalevskaya", "Lise Meitner"),
    organization="Göttingen",
    url="https://example.org/abs/2611.00001",
    published_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
    votes=118,
    comments=12,
    also_in=("huggingface",),
    links=(Link("pdf", "https://example.org/pdf"), Link("code", "https://example.org/code")),
    note="A second version of 2611.00001",
)
_SECOND = Listing(key="title:1", source="feed", title="A Listing with Nothing but a Title")


def sample_digest() -> Digest:
    """Every section, every kind of reason, a source in trouble."""
    match = Match(
        _FIRST,
        0.53,
        (
            Reason("speculative decoding", "title", 0.48),
            Reason("draft model", "abstract", 0.11, 2),
            Reason("survey", "title", -0.06),
        ),
    )
    bare = Match(_SECOND, 0.0)
    profile = Profile(keywords=(Keyword("speculative decoding", 3),))
    sections = tuple(
        Section(name, (match, bare) if name is SectionName.FOR_YOU else (bare,))
        for name in SectionName
    )
    runs = (
        SourceRun("arxiv", sample_time(), 312, 312, 240, 60, 12, _DAY),
        SourceRun("feed", sample_time(), error="HTTP 503"),
    )
    receipt = Receipt(runs, 412, 14, 12, 2)
    subscriber = Subscriber("ada@example.org", profile)
    return Digest(subscriber, _DAY, sections, receipt)


def sample_time() -> datetime:
    """The moment at which the sample was sent."""
    return datetime(2026, 11, 20, 7, 30, tzinfo=UTC)


def sample_links() -> PersonalLinks:
    """Links of the form that a mail has."""
    return PersonalLinks("https://example.org/manage/x", "https://example.org/unsubscribe/x")
