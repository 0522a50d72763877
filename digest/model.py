"""The nouns: immutable values that every other room passes around.

Owns the shapes; those of `states.py` (a delivery's states and outcomes), `reason.py` and
`message.py` are nouns as well. Never reads a clock, a file or the network.
Times are aware UTC and end in `_at`; local calendar days end in `_on`; durations carry a unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum

# ruff: noqa: PLC0414 - `as` is how the typing rules mark a name that is handed on
from digest.message import Imprint as Imprint
from digest.message import Message as Message
from digest.reason import Reason as Reason
from digest.reason import Reasons as Reasons
from digest.states import MOVES as MOVES
from digest.states import Deferred as Deferred
from digest.states import DeliveryState as DeliveryState
from digest.states import Outcome as Outcome
from digest.states import Refused as Refused
from digest.states import Sent as Sent
from digest.states import Unknown as Unknown

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# --- what sources announce ------------------------------------------------------------------


class Announce(StrEnum):
    """How a source announced a listing, strongest first; a digest shows `new` and `cross` only."""

    NEW = "new"
    CROSS = "cross"
    REPLACE = "replace"
    REPLACE_CROSS = "replace-cross"


@dataclass(frozen=True, slots=True)
class Link:
    """A further address of a listing: kind is `pdf`, `code`, `project` or `comments`."""

    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One item that a source announced. All text is plain text (no markup), hostile until escaped.

    `key` is the strongest of `ids`: `arxiv:2606.00467` (no version), `doi:10.1101/…` (lower case),
    `pmid:42286391`, else one the source gives (`guid:…`), else `title:<hash of the title>`.
    `ids` holds every identity known and contains `key`. Absent numbers are None, never 0.
    `listed_on` is the day of the list that announced it, `published_at` the day of the work itself.
    `author_count` is set where a page names a number of authors but not who they are.
    `id` is the row in the store, 0 until stored; `first_seen_at` is set by the store.
    """

    key: str
    source: str
    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    author_count: int | None = None
    organization: str = ""
    url: str = ""
    subjects: tuple[str, ...] = ()
    published_at: datetime | None = None
    listed_on: date | None = None
    votes: int | None = None
    comments: int | None = None
    ids: tuple[str, ...] = ()
    also_in: tuple[str, ...] = ()
    announce: Announce = Announce.NEW
    links: tuple[Link, ...] = ()
    note: str = ""
    id: int = field(default=0, compare=False)
    first_seen_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Where listings come from, as one `[[sources]]` table of the config has it.

    `kind` names the format; `url` or `path` (a glob, for files) where it is read. `every_s` is the
    wait between two fetches in seconds. `max_age_days` keeps items that are older by their own date
    out of the mail (they are stored all the same); None lets every age through. `query` is what a
    searching kind looks for, or which list a kind with several lists gives.
    """

    name: str
    kind: str
    url: str = ""
    path: str = ""
    categories: tuple[str, ...] = ()
    every_s: int = 3600
    max_age_days: int | None = 7
    query: str = ""


class Standing(StrEnum):
    """How a source stands with its calendar; the receipt's words follow from it.

    `rest`: no list comes then. `due`: one was announced and may take a while; `late`: it should be
    there by now. `repeated`: an old one came in its place. `silent`: nothing has come for longer
    than it should.
    """

    ON_TIME = "on_time"
    REST = "rest"
    DUE = "due"
    LATE = "late"
    REPEATED = "repeated"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class SourceRun:
    """What one fetch of one source brought, for the receipt.

    `announced` is the count that the source itself states (None where it states none), `read` what
    the day's list held (of other lists what is new alone), then how those fell out: `new` to us,
    `joined` with a listing known already, of the new stored but not sent `too_old`, `revised`
    (older work) and `undated` (beyond a day's share). `error` is empty on success; with `partly`
    some of the source could be read in spite of it, be it empty or unchanged; with `unreadable` it
    did answer since it fails, but with nothing that can be read. `batch_on` is the list's own day.

    What is known of the source by now: the `calendar` that it keeps (by name), the day of its
    newest list, what tells that list from others (`list_id`) and when it was first seen, the
    longest wait between two lists, since when the source fails, and when it is asked again then.
    A receipt's line adds up the `lists` of some days and says how the source stood, and when it
    rests (`reason`).
    """

    source: str
    started_at: datetime
    announced: int | None = None
    read: int = 0
    new: int = 0
    joined: int = 0
    too_old: int = 0
    batch_on: date | None = None
    error: str = ""
    partly: bool = False
    revised: int = 0
    undated: int = 0
    calendar: str = ""
    list_on: date | None = None
    list_id: str = ""
    list_at: datetime | None = None
    longest_gap_s: int = 0
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    lists: int = 1
    standing: Standing = Standing.ON_TIME
    reason: str = ""
    unreadable: bool = False


# --- what subscribers want ------------------------------------------------------------------


class WhenEmpty(StrEnum):
    """What a subscriber gets on a day without a match: nothing, a short note, or near misses."""

    SKIP = "skip"
    NOTE = "note"
    NEAREST = "nearest"


class Abstracts(StrEnum):
    """How much of each abstract a subscriber gets: its first sentences, or all of it."""

    SHORT = "short"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term as the subscriber wrote it, with its weight (-100..100, not 0)."""

    term: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """What a subscriber asked for. `min_score` is the floor, 0..1; `max_items` the cap, 1..100.

    `authors` and `organizations` are followed whatever the score. `learn` lets what was learned
    from liked and disliked listings count at once.
    """

    keywords: tuple[Keyword, ...] = ()
    exclude: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    min_score: float = 0.25
    max_items: int = 12
    per_day: int | None = None
    trending: int = 0
    when_empty: WhenEmpty = WhenEmpty.SKIP
    related: bool = True
    organizations: tuple[str, ...] = ()
    abstracts: Abstracts = Abstracts.SHORT
    learn: bool = False

    @property
    def asks_for_nothing(self) -> bool:
        """Whether no listing can ever be shown for it."""
        return not (self.keywords or self.authors or self.organizations or self.trending)


class SubscriberState(StrEnum):
    """Only `active` is mailed; `pending` waits for a confirmation.

    `unsubscribed` is the person's own word and outlives the config file; `removed` is the
    operator's, and a subscriber who returns to the file is active again. `suppressed` is an address
    that mail does not reach.
    """

    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"
    REMOVED = "removed"
    SUPPRESSED = "suppressed"


class Origin(StrEnum):
    """Whom a subscriber's settings belong to: the config file, or the store (CLI and web)."""

    FILE = "file"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One person: address, local send time and days, profile. `id` is 0 until stored."""

    email: str
    profile: Profile
    timezone: str = "UTC"
    send_at: time = time(7, 30)
    days: tuple[str, ...] = WEEKDAYS
    name: str = ""
    origin: Origin = Origin.FILE
    state: SubscriberState = SubscriberState.ACTIVE
    id: int = field(default=0, compare=False)


# --- what the matcher says ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Match:
    """A listing with its score, 0..1, and the reasons, most points first; points sum to score.

    The points are kept in 4 bytes each.
    """

    listing: Listing
    score: float
    reasons: Sequence[Reason] = ()


# --- what is mailed -------------------------------------------------------------------------


class SectionName(StrEnum):
    """The parts of a digest in the order in which they are shown."""

    FOR_YOU = "for_you"
    FOLLOWED = "followed"
    TRENDING = "trending"
    RISING = "rising"
    WAITING = "waiting"
    SHORT = "short"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Section:
    """A titled run of matches, best first."""

    name: SectionName
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the day: per source what was announced and read, then counts for this person.

    `considered` listings were new to this subscriber; `matched` passed the floor; `shown` are in
    the mail; `waiting` passed the floor and did not fit the cap (they are offered again).
    `matched_by` parts `matched` by the sources that the listings are known from.
    """

    sources: tuple[SourceRun, ...] = ()
    considered: int = 0
    matched: int = 0
    shown: int = 0
    waiting: int = 0
    matched_by: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """What one subscriber gets for one local day. `empty_reason` is set when nothing is shown.

    `newest` is the id of the newest listing that was looked at: what was stored later is new to the
    next digest. `hint` is a word to a profile that has matched nothing for long.
    """

    subscriber: Subscriber
    digest_on: date
    sections: tuple[Section, ...] = ()
    receipt: Receipt = Receipt()
    empty_reason: str = ""
    mailed: bool = True
    newest: int = 0
    hint: str = ""

    @property
    def listings(self) -> tuple[Listing, ...]:
        """Every listing shown, in order, each once."""
        shown = {m.listing.key: m.listing for s in self.sections for m in s.matches}
        return tuple(shown.values())


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything of a mail that is the same for everyone: who sends, the note, the templates.

    `sender` is the From mailbox as (display name, address); `note_position` is `above` or `below`
    the items; `templates` maps a name such as `digest.html` to its source. A frame is kept with
    each delivery, so that a retry or a replay gives the same bytes after the operator has changed
    any of it.
    """

    service_name: str
    sender: tuple[str, str]
    base_url: str
    list_id: str
    reply_to: str = ""
    postal_address: str = ""
    note: str = ""
    templates: tuple[tuple[str, str], ...] = ()
    note_position: str = "above"


@dataclass(frozen=True, slots=True)
class PersonalLinks:
    """The links of one subscriber's mail; each is https (or http on loopback) or empty.

    `tune` begins the links by which one listing is judged: `TUNE/more/12`, `TUNE/12` for all.
    """

    manage: str
    unsubscribe: str
    tune: str = ""


# --- the ledger -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """The ledger row of one digest, with all that is needed to make its bytes again.

    `attempts` counts the tries so far, the one under way included. `reply` is the server's last
    word, `owner` the worker that holds the lease while `state` is `sending`. `imprint` is that of
    the bytes that went out last, None where none did and for rows from before it was kept.
    """

    id: int
    state: DeliveryState
    message_id: str
    digest: Digest
    frame: Frame
    prepared_at: datetime
    attempts: int = 0
    reply: str = ""
    owner: str = ""
    imprint: Imprint | None = None
