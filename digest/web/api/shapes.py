"""What the API takes and gives, as models: answers are made by them, the document from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from digest.config.words import WrongValueError, shown
from digest.model import (
    WEEKDAYS,
    Abstracts,
    Delivery,
    DeliveryState,
    Listing,
    Origin,
    SubscriberState,
    WhenEmpty,
)
from digest.store.operating import LedgerRow
from digest.text import web_url

LAST_DAY = date(2199, 12, 31)


class Shape(BaseModel):
    """One kind of JSON object; it has these members and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


def read_day(value: object) -> date:
    """A day such as 2026-11-20. Raises: WrongValueError."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or str(day) != value or not 1970 <= day.year <= LAST_DAY.year:
        raise WrongValueError(f"must be a day such as 2026-11-20, not {shown(value)}")
    return day


Day = Annotated[date, BeforeValidator(read_day)]


# --- listings -------------------------------------------------------------------------------


class LinkShape(Shape):
    """A further address of a listing."""

    kind: str = Field(description="`pdf`, `code`, `project` or `comments`.")
    url: str


class ListingShape(Shape):
    """One item that a source announced. All text is plain text and comes from outside."""

    key: str = Field(description="What names it for good: `arxiv:2606.00467`, `doi:10.1101/…`.")
    ids: list[str] = Field(description="Every identity known, the key included.")
    title: str
    abstract: str
    authors: list[str]
    organization: str
    url: str = Field(description="http or https, or empty.")
    subjects: list[str]
    source: str
    also_in: list[str] = Field(description="Other sources that announced the same.")
    published_at: datetime | None
    listed_on: date | None = Field(description="The day of the list that announced it.")
    first_seen_at: datetime | None
    votes: int | None
    comments: int | None
    links: list[LinkShape]

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """The shape of a listing; links that are not safe are left out."""
        links = [LinkShape(kind=link.kind, url=link.url) for link in listing.links]
        return cls(
            key=listing.key,
            ids=list(listing.ids or (listing.key,)),
            title=listing.title,
            abstract=listing.abstract,
            authors=list(listing.authors),
            organization=listing.organization,
            url=web_url(listing.url),
            subjects=list(listing.subjects),
            source=listing.source,
            also_in=list(listing.also_in),
            published_at=listing.published_at,
            listed_on=listing.listed_on,
            first_seen_at=listing.first_seen_at,
            votes=listing.votes,
            comments=listing.comments,
            links=[link for link in links if web_url(link.url)],
        )


class DayShape(Shape):
    """The listings of a day, or some of them."""

    day: date
    previous: date | None = Field(description="The nearest day before that has listings.")
    next: date | None = Field(description="The nearest day after that has listings.")
    total: int = Field(description="How many listings there are, `limit` aside.")
    listings: list[ListingShape]


class FoundShape(Shape):
    """What a search found, or some of it."""

    total: int = Field(description="How many listings were found, `limit` aside; counts to 10000.")
    listings: list[ListingShape]


# --- a subscription -------------------------------------------------------------------------

Term = Annotated[str, Field(max_length=1000)]
Clock = Annotated[str, Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ProfileShape(Shape):
    """Settings and keywords by the names of the TOML file; what is left out has its default."""

    email: str = Field("", description="The address. Left out where it is known.")
    name: str = Field("", description="Used to greet.")
    timezone: str = Field("", description="IANA time zone; the service's own without it.")
    send_at: Clock = Field("07:30", description="Local time of the mail.")
    days: list[Weekday] = Field(list(WEEKDAYS), description="Days of the mail.")  # type: ignore[arg-type]  # these words
    min_score: float = Field(0.25, ge=0, le=1, description="The floor: lower scores are left out.")
    max_items: int = Field(12, ge=1, le=100, description="The cap.")
    per_day: int | None = Field(
        None, ge=1, le=100, description="Instead of a floor: about so many items a day."
    )
    trending: int = Field(0, ge=0, le=100, description="So many of the most voted as well.")
    when_empty: WhenEmpty = Field(WhenEmpty.SKIP, description="What a day without a match brings.")
    abstracts: Abstracts = Field(Abstracts.SHORT, description="How much of each abstract is shown.")
    related: bool = Field(True, description="Whether related words count a little.")
    learn: bool = Field(False, description="Whether what was learned from likes counts.")
    authors: list[Term] = Field([], description="Authors to follow, whatever the score.")
    organizations: list[Term] = Field([], description="Labs to follow, by their whole name.")
    exclude: list[Term] = Field([], description="Terms that keep an item out.")
    keywords: dict[Term, Annotated[float, Field(ge=-100, le=100)]] = Field(
        {}, description="Term and weight, from -100 to 100 and not 0."
    )


class MeShape(Shape):
    """The subscriber whose key it is."""

    email: str
    state: SubscriberState
    kept_in: Origin = Field(description="`file`: the settings stand in the operator's config.")
    paused_until: datetime | None


class PauseShape(Shape):
    """Until when nothing is to be sent."""

    until: Day = Field(description="The first day with mail again, within a year.")


class DoneShape(Shape):
    """What became of it, in words."""

    message: str


# --- digests --------------------------------------------------------------------------------


class DigestLine(Shape):
    """A digest of the last 30 days."""

    day: date
    state: DeliveryState
    prepared_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, row: LedgerRow) -> Self:
        """The line of a delivery."""
        return cls(
            day=row.digest_on,
            state=row.state,
            prepared_at=row.prepared_at,
            closed_at=row.closed_at,
        )


class DigestsShape(Shape):
    """The digests that are kept, the newest first."""

    digests: list[DigestLine]


class ReasonShape(Shape):
    """Why a listing scored: the term, where it stands, its points."""

    term: str
    field: str
    points: float


class PickShape(Shape):
    """A listing of a digest with its score and the reasons for it."""

    section: str
    score: float
    reasons: list[ReasonShape]
    listing: ListingShape


class DigestShape(Shape):
    """A digest with what it shows, and why it shows nothing if so."""

    day: date
    state: DeliveryState
    empty_reason: str
    picks: list[PickShape]

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The shape of a delivery's digest."""
        digest = delivery.digest
        return cls(
            day=digest.digest_on,
            state=delivery.state,
            empty_reason=digest.empty_reason,
            picks=list(_picks(delivery)),
        )


def _picks(delivery: Delivery) -> Iterator[PickShape]:
    for section in delivery.digest.sections:
        for match in section.matches:
            yield PickShape(
                section=section.name,
                score=match.score,
                reasons=[
                    ReasonShape(term=why.term, field=why.field, points=why.points)
                    for why in match.reasons
                ],
                listing=ListingShape.of(match.listing),
            )


# --- faults ---------------------------------------------------------------------------------


class FieldFault(Shape):
    """What is wrong with one field; `field` is empty for the request as a whole."""

    field: str
    detail: str = Field(description="What is wrong, with the nearest right form where there is one")


class ProblemShape(Shape):
    """Why a request was refused. Source: RFC 9457."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldFault]
