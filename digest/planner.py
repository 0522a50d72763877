"""Who gets what: the subscribers that are due, brought together with the listings new to them.

Owns which listings a digest may draw on and how far it looks back. Reads the store, writes nothing;
the ranking is the matcher's, the choosing the composer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from digest.app import App, with_packaged_templates
from digest.composer import FOLLOWED, Day, compose, cut_to
from digest.errors import TemplateError
from digest.matcher import Matcher, Pairs, fit_floor
from digest.model import Digest, Listing, Match, Profile, Reason, SourceRun
from digest.renderer import LARGEST_HTML
from digest.schedule import days_covered
from digest.standing import stood, summed
from digest.store import Due

SLACK = timedelta(hours=6)
"""How much further a digest looks back than its days: ticks are late, and some days have 25 hours.
What was shown already is not shown again."""

ITEM_BYTES, LETTER_BYTES, ABSTRACT = 4500, 5, 480
"""What an item takes in the mail's HTML, what a byte of a letter beyond ASCII adds, encoded, and
how much of an abstract is shown; all on the large side."""

SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)
"""For links that are measured, not sent: every time makes them as long."""

FITTED_OVER = timedelta(days=30)
"""The stored days that the floor of a `per_day` profile is fitted on."""


def plan(app: App, due: Sequence[Due], now: datetime) -> Iterator[Digest]:
    """The digests of these subscribers' days, composed but not yet opened in the ledger."""
    groups: dict[tuple[date, int], list[Due]] = defaultdict(list)
    for one in due:
        groups[one.digest_on, days_covered(one.digest_on, one.subscriber.days)].append(one)
    for (digest_on, covered), group in groups.items():
        yield from _plan_group(app, group, digest_on, covered, now)


def _plan_group(
    app: App, group: Sequence[Due], digest_on: date, covered: int, now: datetime
) -> Iterator[Digest]:
    """Digests for one local day of subscribers who look back over the same days."""
    window = timedelta(days=covered + app.config.service.rollover_days) + SLACK
    listings = app.store.candidates(now - window)
    people = [one.subscriber.id for one in group]
    seen = app.store.shown(people, digest_on - window, digest_on)
    sources = _receipt_sources(app, now - timedelta(days=covered), now)
    matcher = app.matcher(now)
    profiles = _fit_floors(app, matcher, [one.subscriber.profile for one in group], now)
    pairs = matcher.pairs(profiles, listings)
    ranking = pairs.rank(len(listings))
    followed = matcher.followed(profiles, listings)
    voted = [at for at, listing in enumerate(listings) if listing.votes]
    voted.sort(key=lambda at: (-(listings[at].votes or 0), listings[at].key))
    known = {listing.id: at for at, listing in enumerate(listings)}
    for number, (one, profile) in enumerate(zip(group, profiles, strict=True)):
        shown = {known[seen_id] for seen_id in seen.get(one.subscriber.id, ()) if seen_id in known}
        popular = _allowed(pairs, number, (at for at in voted if at not in shown))
        room = profile.trending and profile.trending + profile.max_items + FOLLOWED
        day = Day(
            digest_on=digest_on,
            ranked=[(listings[at], score) for at, score in ranking[number] if at not in shown],
            followed=[listings[at] for at in followed[number] if at not in shown],
            voted=[listings[at] for at in islice(popular, room)],
            considered=len(listings) - len(shown),
            sources=sources,
        )
        match = _matching(matcher, pairs, number, profile, known)
        yield _fitting(app, compose(replace(one.subscriber, profile=profile), day, match))


def _fitting(app: App, digest: Digest) -> Digest:
    """The digest as far as one mail can hold it, so that the ledger knows what was shown.

    Only a digest that may be too large is measured, by its items and letters beyond ASCII.
    """
    shown = [match.listing.abstract[:ABSTRACT] for s in digest.sections for match in s.matches]
    letters = sum(len(text.encode("utf-8", "ignore")) - len(text) for text in shown)
    if len(shown) * ITEM_BYTES + letters * LETTER_BYTES < LARGEST_HTML:
        return digest
    links = app.tokens.links(app.frame.base_url, 1, SOMETIME)
    try:
        room = app.renderer(app.frame).capacity(digest, links)
    except TemplateError:  # the mail will fall back to the packaged templates, so measure those
        room = app.renderer(with_packaged_templates(app.frame)).capacity(digest, links)
    return cut_to(digest, room) if room < len(shown) else digest


def _fit_floors(
    app: App, matcher: Matcher, profiles: Sequence[Profile], now: datetime
) -> list[Profile]:
    """The profiles; those that ask for so many a day with the floor that the stored days give."""
    asking = [profile for profile in profiles if profile.per_day]
    if not asking:
        return list(profiles)
    stored = app.store.candidates(now - FITTED_OVER)
    days = [listing.first_seen_at.date() for listing in stored if listing.first_seen_at]
    floors: dict[Profile, float] = {}
    for profile, ranked in zip(asking, matcher.rank(asking, stored, len(stored)), strict=True):
        scores: dict[date, list[float]] = {day: [] for day in days}
        for at, score in ranked:
            scores[days[at]].append(score)
        floors[profile] = fit_floor(scores.values(), profile.per_day or 1)
    return [replace(p, min_score=floors[p]) if p in floors else p for p in profiles]


def _allowed(pairs: Pairs, profile: int, listings: Iterable[int]) -> Iterator[int]:
    """These listings without those that the profile excludes."""
    return (at for at in listings if not pairs.excluded_by(profile, at))


def _matching(
    matcher: Matcher, pairs: Pairs, number: int, profile: Profile, known: Mapping[int, int]
) -> Callable[[Listing], Match]:
    """The match of a listing for a profile, a followed author said in its reasons."""

    def match(listing: Listing) -> Match:
        found = pairs.match(number, known[listing.id])
        follows = tuple(
            Reason(author, "author", 0.0)
            for author in profile.authors
            if matcher.followed([Profile(authors=(author,))], [listing])[0]
        )
        return replace(found, reasons=found.reasons + follows) if follows else found

    return match


def _receipt_sources(app: App, since: datetime, now: datetime) -> tuple[SourceRun, ...]:
    """Per source how it stands, with what all its runs since then brought together."""
    successes = app.store.successes(since)
    served = {source.name for source in app.config.sources} | set(successes)
    return tuple(
        summed(stood(latest, now), successes.get(name, ()))
        for name, latest in app.store.latest_runs().items()
        if name in served
    )
