"""The tables that a config may have many of: sources and subscribers.

Owns what each key of theirs may hold, and how they become the nouns that other rooms know. The
words here are the reference: the guide under `docs/` is made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from pydantic import Field

from digest.config.tables import Table
from digest.config.terms import Authors, Exclusions, Keywords, Organizations
from digest.config.values import (
    Address,
    Clock,
    Days,
    Every,
    Glob,
    KindName,
    Line,
    Lines,
    MaxAge,
    OptionalLine,
    Query,
    SourceUrl,
    Timezone,
)
from digest.model import WEEKDAYS, Abstracts, Keyword, Profile, Source, Subscriber, WhenEmpty
from digest.sources import KINDS


class SourceTable(Table):
    """A place that announces listings. One table each."""

    name: Line = Field(
        description="Your name for it, shown in the mail; each once.", examples=["arXiv cs.CL"]
    )
    kind: KindName = Field(
        description=f"What is read there: {', '.join(KINDS)}.", examples=["arxiv"]
    )
    url: SourceUrl = Field(
        "", description="Where it is on the web.", examples=["https://example.org/feed.xml"]
    )
    path: Glob = Field(
        "",
        description="Files to read instead; `*` and `?` stand for any letters.",
        examples=["pages/*.html"],
    )
    categories: Lines = Field(
        (), description="Only these categories of the source.", examples=[["cs.CL", "cs.LG"]]
    )
    every: Every = Field(3600, description="Wait between two looks: s, m, h or d.", examples=["6h"])
    query: Query = Field(
        "",
        description="What a searching kind looks for, or which of its lists a kind gives.",
        examples=["trending"],
    )
    max_age_days: MaxAge = Field(
        default_factory=lambda found: usual_age(found.get("kind", "")),
        description="Older items are stored but not mailed; false lets every age through. "
        "What suits the kind without it.",
        examples=[7],
    )

    def conflicts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """A source is read in one place, and its kind says which options it needs."""
        if self.url and self.path:
            yield ("path", "url"), "stands beside url; keep one of them"
        elif fault := KINDS[self.kind].fault(self.source()):
            yield ("", "kind", "url", "path", "categories", "query"), fault

    def source(self) -> Source:
        """The noun that the other rooms know."""
        return Source(**self.model_dump(exclude={"every"}), every_s=self.every)


def usual_age(kind: str) -> int | None:
    """The greatest age in days that suits a kind of source; None lets every age through."""
    return KINDS[kind].max_age_days if kind in KINDS else None


class SubscriberTable(Table):
    """A reader and what they want. One table each."""

    email: Address = Field(description="The address; each once.", examples=["ada@example.org"])
    name: OptionalLine = Field("", description="Used to greet, if given.", examples=["Ada"])
    timezone: Timezone | None = Field(
        None,
        description="IANA time zone; that of [service] without it.",
        examples=["Europe/London"],
    )
    send_at: Clock = Field(time(7, 30), description="Local time of the mail.", examples=["07:30"])
    days: Days = Field(
        WEEKDAYS, description="Days of the mail.", examples=[["mon", "tue", "wed", "thu", "fri"]]
    )
    min_score: float = Field(
        0.25, ge=0, le=1, allow_inf_nan=False, description="The floor: lower scores are left out."
    )
    max_items: int = Field(
        12,
        ge=1,
        le=100,
        description="The cap: so many new items in full, then as many as titles, 12 at most.",
    )
    per_day: int | None = Field(
        None,
        ge=1,
        le=100,
        description="Instead of a floor: about so many items a day, fitted on the stored days.",
        examples=[8],
    )
    trending: int = Field(
        0,
        ge=0,
        le=100,
        description="So many of the day's most voted as well, whatever the keywords.",
    )
    when_empty: WhenEmpty = Field(
        WhenEmpty.SKIP,
        strict=False,
        description='A day without a match: `"skip"` sends nothing, `"note"` a line, `"nearest"` '
        "the near misses.",
    )
    abstracts: Abstracts = Field(
        Abstracts.SHORT,
        strict=False,
        description='How much of each abstract is shown: `"short"` is its first sentences, '
        '`"full"` all of it.',
    )
    related: bool = Field(
        True, description="Whether words that stand with the keywords in papers count a little."
    )
    learn: bool = Field(
        False,
        description="Whether what was learned from the listings they liked counts at once, never "
        "more than the keywords do.",
        examples=[True],
    )
    authors: Authors = Field(
        (), description="Authors to follow, whatever the score.", examples=[["Emmy Noether"]]
    )
    organizations: Organizations = Field(
        (),
        description="Labs to follow, by their whole name, whatever the score.",
        examples=[["Google DeepMind"]],
    )
    exclude: Exclusions = Field(
        (),
        description="Terms that keep an item out, whatever its score.",
        examples=[["medical imaging", "category:cs.CR"]],
    )
    keywords: Keywords = Field(
        default_factory=dict,
        description="Term = weight, from -100 to 100 and not 0.",
        examples=[{"speculative decoding": 3, "title:survey": -1}],
    )

    def subscriber(self, default_timezone: str) -> Subscriber:
        """The noun that the other rooms know."""
        keywords = tuple(Keyword(term, weight) for term, weight in self.keywords.items())
        wanted = Profile.__dataclass_fields__.keys() - {"keywords"}
        return Subscriber(
            email=self.email,
            profile=Profile(keywords, **{key: getattr(self, key) for key in wanted}),
            timezone=self.timezone or default_timezone,
            send_at=self.send_at,
            days=self.days,
            name=self.name,
        )
