"""The matcher: profiles against listings, many at once or one by one.

Owns the way from profiles and listings to scores and reasons. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from digest.matcher.lexicon import Lexicon
from digest.matcher.names import Name, read_name, same_person
from digest.matcher.pairs import Pairs
from digest.matcher.profiles import Profiles, compile_profiles
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch, read
from digest.matcher.reasons import Explanation
from digest.matcher.statistics import Statistics
from digest.model import Listing, Match, Profile


class Matcher:
    """Ranks listings for profiles by the statistics it is given; scores are 0..1.

    `archive` holds recent stored listings, from which related terms are drawn.
    """

    def __init__(self, statistics: Statistics, archive: Sequence[Listing] = ()) -> None:
        self.statistics = statistics
        self.archive = archive
        self._one = lru_cache(maxsize=1024)(lambda profile: self.compile([profile]))

    def read(self, listings: Sequence[Listing]) -> Batch:
        """The listings, read once for several calls."""
        return read(listings)

    def compile(self, profiles: Iterable[Profile]) -> Profiles:
        """The profiles as standing queries, to be kept between calls."""
        return compile_profiles(Lexicon(self.statistics), profiles)

    def rank(
        self,
        profiles: Sequence[Profile] | Profiles,
        listings: Sequence[Listing] | Batch,
        limit: int | Sequence[int],
        floors: Sequence[float] | None = None,
    ) -> Ranking:
        """For each profile its best listings with a score above 0 (and at or above its floor)."""
        compiled = profiles if isinstance(profiles, Profiles) else self.compile(profiles)
        batch = listings if isinstance(listings, Batch) else read(listings)
        return Pairs(compiled, batch).rank(limit, floors)

    def pairs(self, profiles: Sequence[Profile], listings: Sequence[Listing]) -> Pairs:
        """These profiles beside these listings, to be ranked and then looked at pair by pair."""
        return Pairs(self.compile(profiles), read(listings))

    def followed(self, profiles: Sequence[Profile], listings: Sequence[Listing]) -> list[list[int]]:
        """For each profile the listings by an author it follows, without the excluded ones."""
        wrote: dict[str, list[tuple[int, Name]]] = {}
        for at, listing in enumerate(listings):
            for author in listing.authors:
                name = read_name(author)
                for word in {*name.family, "".join(name.family), *name.given}:
                    wrote.setdefault(word, []).append((at, name))
        return [self._followed(profile, listings, wrote) for profile in profiles]

    def _followed(
        self,
        profile: Profile,
        listings: Sequence[Listing],
        wrote: dict[str, list[tuple[int, Name]]],
    ) -> list[int]:
        found = {
            at
            for author in profile.authors
            for name in [read_name(author)]
            for word in ["".join(name.family)]
            for at, other in wrote.get(word, ())
            if same_person(name, other)
        }
        if profile.exclude:
            found = {at for at in found if not self.excluded_by(profile, listings[at])}
        return sorted(found)

    # --- one profile, one listing -------------------------------------------------------------

    def match(self, profile: Profile, listing: Listing) -> Match:
        """The score that `rank` gives, with its reasons; 0 and no reasons where excluded."""
        return self._pair(profile, listing).match(0, 0)

    def excluded_by(self, profile: Profile, listing: Listing) -> str:
        """The exclusion that keeps the listing from this profile, or an empty text."""
        return self._pair(profile, listing).excluded_by(0, 0)

    def _pair(self, profile: Profile, listing: Listing) -> Pairs:
        return Pairs(self._one(profile), read([listing]))

    def explain(self, profile: Profile, listing: Listing) -> Explanation:
        """The match, the keywords that did not match, and what would pass the floor."""
        excluded_by = self.excluded_by(profile, listing)
        match = self.match(profile, listing)
        seen = {reason.term for reason in match.reasons}
        absent = tuple(k.term for k in profile.keywords if k.term not in seen)
        return Explanation(match, profile.min_score, excluded_by, absent)
