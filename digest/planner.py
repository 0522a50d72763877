"""Who gets what: the subscribers that are due, brought together with the listings new to them.

Owns which listings a digest may draw on and how far it looks back. Reads the store, writes nothing;
the ranking is the matcher's, the choosing the composer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from digest.app import App
from digest.composer import Chosen, Day, choose, compose, cut_to
from digest.errors import TemplateError
from digest.frames import has_own_templates, with_packaged_templates
from digest.hints import HINT_AFTER, absent_terms, hint, wants_hint
from digest.learning import likes_of
from digest.matcher import Batch, Lexicon, Likes, Matcher
from digest.model import Digest, Match, PersonalLinks, Profile, SourceRun, Subscriber
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
        groups: dict[tuple[date, int], list[Due]] = defaultdict(list)
        for one in due:
            groups[one.digest_on, days_covered(one.digest_on, one.subscriber.days)].append(one)
        for (digest_on, covered), group in groups.items():
            digests = list(self._plan_group(group, digest_on, timedelta(days=covered)))
            yield from _hinted(self._app, digests, digest_on, self._now)

    def _plan_group(
        self, group: Sequence[Due], digest_on: date, covered: timedelta
    ) -> Iterator[Digest]:
        """Digests for one local day of subscribers who look back over the same days."""
        app, now, people = self._app, self._now, [one.subscriber.id for one in group]
        matcher, shelf = app.matcher(now), self._shelf(covered)
        likes = likes_of(app.store, [one.subscriber for one in group])
        profiles = app.fitted([one.subscriber.profile for one in group], now, likes)
        offers = self._offers(shelf, profiles, likes)
        blank = Day(digest_on, sources=shelf.sources)
        seen = app.store.shown(people, offers.oldest(now).date() - timedelta(days=1), digest_on)
        looks = app.store.last_looks(people, digest_on)
        days = [
            offers.day(blank, number, profile, seen.get(person, ()), looks.get(person))
            for number, (person, profile) in enumerate(zip(people, profiles, strict=True))
        ]
        chosen = [choose(profile, day) for profile, day in zip(profiles, days, strict=True)]
        matches = _matches(matcher, offers, profiles, chosen)
        digests = [
            compose(_with_profile(one.subscriber, profile), day, picked, matches)
            for one, profile, day, picked in zip(group, profiles, days, chosen, strict=True)
        ]
        yield from self._fitting(digests, offers.last_call)

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
            listings=listings,
            pairs=pairs,
            ranking=pairs.rank(len(listings)),
            followed=[{*a, *b} for a, b in zip(by_authors, by_labs, strict=True)],
            rising=shelf.rising,
            opens_at=shelf.opens_at,
            last_call=self._now - self._rollover - SLACK,
            rolls=bool(self._rollover),
        )

    def _fitting(self, digests: Sequence[Digest], last_call: datetime) -> Iterator[Digest]:
        """The digests as far as one mail can hold them, so that the ledger knows what was shown.

        What our templates make of them is known well enough beforehand; an operator's own are
        measured.
        """
        if has_own_templates(self._app.frame):
            fits = [_measured(self._app, digest, self._links) for digest in digests]
        else:
            fits = self._measure.items_that_fit(digests)
        for digest, room in zip(digests, fits, strict=True):
            total = sum(len(section.matches) for section in digest.sections)
            yield cut_to(digest, room, last_call) if room < total else digest

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


def _hinted(
    app: App, digests: Sequence[Digest], digest_on: date, now: datetime
) -> Iterator[Digest]:
    """The digests; a note to a profile that has matched nothing for long with a hint in it."""
    dry = {digest.subscriber.id for digest in digests if wants_hint(digest)}
    if dry:
        dry &= app.store.without_match(dry, digest_on - HINT_AFTER, digest_on)
    stored = app.store.candidates(now - HINT_AFTER) if dry else ()
    asked = [d.subscriber.profile for d in digests if d.subscriber.id in dry]
    absent = absent_terms(app.matcher(now), asked, stored)
    for digest in digests:
        said = digest.subscriber.id in dry and hint(digest, absent, len(stored))
        yield replace(digest, hint=said) if said else digest


def _matches(
    matcher: Matcher, offers: Offers, profiles: Sequence[Profile], chosen: Sequence[Chosen]
) -> Iterator[Match]:
    """The matches of all that was chosen, who and what is followed said in their reasons."""
    asked = [
        (number, offers.places[listing.id])
        for number, sections in enumerate(chosen)
        for listings in sections.values()
        for listing in listings
    ]
    numbers, places = [number for number, _ in asked], [place for _, place in asked]
    for number, match in zip(numbers, offers.pairs.matches(numbers, places), strict=True):
        profile = profiles[number]
        anyone = profile.authors or profile.organizations
        followed = follows(matcher, profile, match.listing) if anyone else ()
        yield replace(match, reasons=(*match.reasons, *followed)) if followed else match


def _receipt_sources(app: App, since: datetime, now: datetime) -> tuple[SourceRun, ...]:
    """Per source how it stands, with what all its runs since then brought together."""
    successes = app.store.successes(since)
    served = {source.name for source in app.config.sources} | set(successes)
    return tuple(
        summed(stood(latest, now), successes.get(name, ()))
        for name, latest in app.store.latest_runs().items()
        if name in served
    )
