"""Who gets what: the subscribers that are due, brought together with the listings new to them.

Owns which listings a digest may draw on and how far it looks back. Reads the store, writes nothing;
the ranking is the matcher's, the choosing the composer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from digest.app import App
from digest.composer import Day, compose, cut_to
from digest.errors import TemplateError
from digest.frames import has_own_templates, with_packaged_templates
from digest.hints import HINT_AFTER, absent_terms, hint, wants_hint
from digest.learning import likes_of
from digest.matcher import Likes, Matcher
from digest.model import Digest, Listing, Match, PersonalLinks, Profile, SourceRun
from digest.offers import RISES_FOR, Offers, follows, of_labs, rising
from digest.renderer import LARGEST_HTML
from digest.schedule import days_covered
from digest.sizes import items_that_fit
from digest.standing import stood, summed
from digest.store import Due

SLACK = timedelta(hours=6)
"""How much further a digest looks back than its days: ticks are late, and some days have 25 hours.
What was shown already is not shown again."""

SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)
"""For links that are measured, not sent: every time makes them as long."""


def plan(app: App, due: Sequence[Due], now: datetime) -> Iterator[Digest]:
    """The digests of these subscribers' days, composed but not yet opened in the ledger."""
    groups: dict[tuple[date, int], list[Due]] = defaultdict(list)
    for one in due:
        groups[one.digest_on, days_covered(one.digest_on, one.subscriber.days)].append(one)
    for (digest_on, covered), group in groups.items():
        window = timedelta(days=covered)
        digests = list(_plan_group(app, group, digest_on, window, now))
        yield from _hinted(app, digests, digest_on, now)


def _plan_group(
    app: App, group: Sequence[Due], digest_on: date, covered: timedelta, now: datetime
) -> Iterator[Digest]:
    """Digests for one local day of subscribers who look back over the same days."""
    matcher, people = app.matcher(now), [one.subscriber.id for one in group]
    likes = likes_of(app.store, [one.subscriber for one in group])
    profiles = app.fitted([one.subscriber.profile for one in group], now, likes)
    offers = _offers(app, profiles, likes, covered, now)
    blank = Day(digest_on, sources=_receipt_sources(app, now - covered, now))
    seen = app.store.shown(people, offers.oldest(now).date() - timedelta(days=1), digest_on)
    looks = app.store.last_looks(people, digest_on)
    links = app.tokens.links(app.frame.base_url, 1, SOMETIME)  # all are as long as these
    for number, (one, profile) in enumerate(zip(group, profiles, strict=True)):
        person = one.subscriber.id
        day = offers.day(blank, number, profile, seen.get(person, ()), looks.get(person))
        match = _matching(matcher, offers, number, profile)
        digest = compose(replace(one.subscriber, profile=profile), day, match)
        yield _fitting(app, digest, links, offers.last_call)


def _offers(
    app: App,
    profiles: Sequence[Profile],
    likes: Sequence[Likes | None],
    covered: timedelta,
    now: datetime,
) -> Offers:
    """What the stored listings offer to these profiles: those of their days, and what rises."""
    matcher = app.matcher(now)
    rollover = timedelta(days=app.config.service.rollover_days)
    opens_at = now - covered - rollover - SLACK
    stored = app.store.candidates(min(opens_at, now - RISES_FOR))
    history = app.store.vote_history((now - RISES_FOR).date())
    risen = {stored[at].id for at in rising(stored, history, now)}
    listings = [
        one
        for one in stored
        if one.id in risen or (one.first_seen_at and one.first_seen_at >= opens_at)
    ]
    pairs = matcher.pairs(profiles, listings, likes)
    by_labs = of_labs(profiles, listings, pairs)
    return Offers(
        listings=listings,
        pairs=pairs,
        ranking=pairs.rank(len(listings)),
        followed=[
            {*a, *b} for a, b in zip(matcher.followed(profiles, listings), by_labs, strict=True)
        ],
        rising=rising(listings, history, now),
        opens_at=opens_at,
        last_call=now - rollover - SLACK,
        rolls=bool(rollover),
    )


def _fitting(app: App, digest: Digest, links: PersonalLinks, last_call: datetime) -> Digest:
    """The digest as far as one mail can hold it, so that the ledger knows what was shown.

    What our templates make of it is known well enough beforehand; an operator's own are measured.
    """
    total = sum(len(section.matches) for section in digest.sections)
    room = items_that_fit(digest, app.frame.note, links.tune, LARGEST_HTML)
    if has_own_templates(app.frame):
        room = _measured(app, digest, links)
    return cut_to(digest, room, last_call) if room < total else digest


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


def _matching(
    matcher: Matcher, offers: Offers, number: int, profile: Profile
) -> Callable[[Listing], Match]:
    """The match of a listing for a profile, who and what is followed said in its reasons."""
    anyone = profile.authors or profile.organizations

    def match(listing: Listing) -> Match:
        found = offers.pairs.match(number, offers.places[listing.id])
        followed = follows(matcher, profile, listing) if anyone else ()
        return replace(found, reasons=found.reasons + followed) if followed else found

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
