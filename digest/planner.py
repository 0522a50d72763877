"""Who gets what: the subscribers that are due, brought together with the listings new to them.

Owns which listings a digest may draw on and how far it looks back. Reads the store, writes nothing;
the ranking is the matcher's, the choosing the composer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from digest.app import App
from digest.composer import Asks, Composed, compose, drafted, joined
from digest.drafts import Drafts
from digest.errors import TemplateError
from digest.frames import has_own_templates, with_packaged_templates
from digest.hints import HINT_AFTER, absent_terms, hint, wants_hint
from digest.learning import likes_of
from digest.matcher import Batch, Lexicon, Likes, Matcher
from digest.model import Digest, PersonalLinks, Profile, Receipt, SourceRun, Subscriber
from digest.offers import RISES_FOR, Offers, follows, of_labs, rising
from digest.renderer import LARGEST_HTML
from digest.schedule import days_covered
from digest.sizes import Measure
from digest.standing import stood, summed
from digest.store import Due

SLACK = timedelta(hours=6)
"""How much further a digest looks back than its days: ticks are late, and some days have 25 hours.
What was shown already is not shown again."""

MOST_UNITS = 20_000
"""Words and phrases that batches have in common at most; then the next begins with none."""

MOST_PLACES = 1_000_000
"""Subscribers times listings among which is chosen at once; they take about 50 MB."""

SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)
"""For links that are measured, not sent: every time makes them as long."""


def plan(app: App, due: Sequence[Due], now: datetime) -> Iterator[Digest]:
    """The digests of these subscribers' days, composed but not yet opened in the ledger."""
    return Planner(app, now).plan(due)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stored listings that digests over the same days draw on, read once for all of them."""

    batch: Batch
    rising: Sequence[int]
    opens_at: datetime
    sources: tuple[SourceRun, ...]


class Planner:
    """Plans the digests of one time, batch after batch; what is stored later is for later ones."""

    def __init__(self, app: App, now: datetime) -> None:
        self._app = app
        self._now = now
        self._shelves: dict[timedelta, Shelf] = {}
        self._kept_lexicon: Lexicon | None = None
        self._links = app.tokens.links(app.frame.base_url, 1, SOMETIME)  # all are as long as these
        self._measure = Measure(app.frame.note, self._links.tune, LARGEST_HTML)

    def plan(self, due: Sequence[Due]) -> Iterator[Digest]:
        """The digests of these subscribers' days."""
        for drafts in self.drafts(due):
            yield from drafts.digests()

    def drafts(self, due: Sequence[Due]) -> Iterator[Drafts]:
        """The same, those of each day together."""
        groups: dict[tuple[date, int], list[Due]] = defaultdict(list)
        for one in due:
            groups[one.digest_on, days_covered(one.digest_on, one.subscriber.days)].append(one)
        for (digest_on, covered), group in groups.items():
            people = [one.subscriber for one in group]
            drafts = self._plan_group(people, digest_on, timedelta(days=covered))
            yield _hinted(self._app, drafts, self._now)

    def _plan_group(
        self, people: Sequence[Subscriber], digest_on: date, covered: timedelta
    ) -> Drafts:
        """Digests for one local day of subscribers who look back over the same days."""
        app, now, shelf = self._app, self._now, self._shelf(covered)
        likes = likes_of(app.store, people)
        profiles = app.fitted([one.profile for one in people], now, likes)
        people = list(map(_with_profile, people, profiles))
        offers = self._offers(shelf, profiles, likes)
        made = self._composed(offers, people, digest_on)
        order = shelf.batch.order.astype(np.int64)
        packed = offers.pairs.packed(made.items.who, order[made.items.listing])
        blank = Digest(people[0], digest_on, receipt=Receipt(shelf.sources))
        drafts = drafted(people, blank, made, offers.shelf, packed)
        return self._fitting(_with_followed(app.matcher(now), drafts))

    def _composed(self, offers: Offers, people: Sequence[Subscriber], digest_on: date) -> Composed:
        """What goes into the digests, some hundred at a time: each has a place for each listing."""
        store, ids = self._app.store, [one.id for one in people]
        seen = store.shown(ids, offers.oldest(self._now).date() - timedelta(days=1), digest_on)
        looks = store.last_looks(ids, digest_on)
        made = []
        at_once = max(1, MOST_PLACES // max(1, len(offers.batch)))
        for low in range(0, len(people), at_once):
            part = slice(low, low + at_once)
            profiles = [one.profile for one in people[part]]
            days = offers.days(
                low,
                profiles,
                [seen.get(one, ()) for one in ids[part]],
                [looks.get(one) for one in ids[part]],
            )
            made.append(compose(Asks.of(profiles), days, offers.shelf))
        return joined(made)

    def _shelf(self, covered: timedelta) -> Shelf:
        """What the stored listings offer over these days: those of the days, and what rises."""
        if covered not in self._shelves:
            store, now = self._app.store, self._now
            opens_at = now - covered - self._rollover - SLACK
            stored = store.candidates(min(opens_at, now - RISES_FOR))
            history = store.vote_history((now - RISES_FOR).date())
            risen = {stored[at].id for at in rising(stored, history, now)}
            listings = [
                one
                for one in stored
                if one.id in risen or (one.first_seen_at and one.first_seen_at >= opens_at)
            ]
            self._shelves[covered] = Shelf(
                batch=self._app.matcher(now).read(listings),
                rising=rising(listings, history, now),
                opens_at=opens_at,
                sources=_receipt_sources(self._app, now - covered, now),
            )
        return self._shelves[covered]

    def _offers(
        self, shelf: Shelf, profiles: Sequence[Profile], likes: Sequence[Likes | None]
    ) -> Offers:
        """What a shelf offers to these profiles."""
        matcher, listings = self._app.matcher(self._now), shelf.batch.listings
        pairs = matcher.pairs(profiles, shelf.batch, likes, self._lexicon(matcher))
        by_labs = of_labs(profiles, listings, pairs)
        by_authors = matcher.followed(profiles, listings)
        return Offers(
            batch=shelf.batch,
            pairs=pairs,
            followed=[{*a, *b} for a, b in zip(by_authors, by_labs, strict=True)],
            rising=shelf.rising,
            opens_at=shelf.opens_at,
            last_call=self._now - self._rollover - SLACK,
            rolls=bool(self._rollover),
        )

    def _fitting(self, drafts: Drafts) -> Drafts:
        """The digests as far as one mail can hold them, so that the ledger knows what was shown.

        What our templates make of them is known well enough beforehand; an operator's own are
        measured.
        """
        if not has_own_templates(self._app.frame):
            return drafts.cut_to(self._measure.items_that_fit(drafts))
        fits = [_measured(self._app, digest, self._links) for digest in drafts.digests()]
        return drafts.cut_to(np.array(fits, dtype=np.int64))

    def _lexicon(self, matcher: Matcher) -> Lexicon:
        """What all batches look for, so that what they have in common is looked up once."""
        kept = self._kept_lexicon
        if kept is None or kept.statistics is not matcher.statistics or len(kept) > MOST_UNITS:
            kept = self._kept_lexicon = Lexicon(matcher.statistics)
        return kept

    @property
    def _rollover(self) -> timedelta:
        return timedelta(days=self._app.config.service.rollover_days)


def _with_profile(subscriber: Subscriber, profile: Profile) -> Subscriber:
    same = subscriber.profile is profile
    return subscriber if same else replace(subscriber, profile=profile)


def _measured(app: App, digest: Digest, links: PersonalLinks) -> int:
    """How many items of a digest the mail that is made of it holds."""
    try:
        return app.renderer(app.frame).capacity(digest, links)
    except TemplateError:  # the mail will fall back to the packaged templates, so measure those
        return app.renderer(with_packaged_templates(app.frame)).capacity(digest, links)


def _hinted(app: App, drafts: Drafts, now: datetime) -> Drafts:
    """The digests; a note to a profile that has matched nothing for long with a hint in it."""
    notes = zip(drafts.people, drafts.mailed, drafts.empty_reason, strict=True)
    dry = {one.id for one, mailed, why in notes if wants_hint(one.profile, why, mailed=mailed)}
    if dry:
        dry &= app.store.without_match(dry, drafts.digest_on - HINT_AFTER, drafts.digest_on)
    if not dry:
        return drafts
    stored = app.store.candidates(now - HINT_AFTER)
    asked = [one.profile for one in drafts.people if one.id in dry]
    absent = absent_terms(app.matcher(now), asked, stored)
    hints = [
        hint(one.profile, absent, len(stored)) if one.id in dry else "" for one in drafts.people
    ]
    return replace(drafts, hint=hints)


def _with_followed(matcher: Matcher, drafts: Drafts) -> Drafts:
    """The digests; who and what is followed is said in the reasons of their items."""
    items = zip(drafts.items.who.tolist(), drafts.items.listing.tolist(), strict=True)
    profiles = [one.profile for one in drafts.people]
    further = [
        (number, reason)
        for number, (who, at) in enumerate(items)
        if profiles[who].authors or profiles[who].organizations
        for reason in follows(matcher, profiles[who], drafts.listings[at])
    ]
    return replace(drafts, reasons=drafts.reasons.followed_by(further)) if further else drafts


def _receipt_sources(app: App, since: datetime, now: datetime) -> tuple[SourceRun, ...]:
    """Per source how it stands, with what all its runs since then brought together."""
    successes = app.store.successes(since)
    served = {source.name for source in app.config.sources} | set(successes)
    return tuple(
        summed(stood(latest, now), successes.get(name, ()))
        for name, latest in app.store.latest_runs().items()
        if name in served
    )
