"""The matcher: profiles against listings, many at once or one by one.

Owns the way from profiles and listings to scores and reasons. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

from digest.language.names import Name, read_name, same_person
from digest.matcher.lexicon import Lexicon
from digest.matcher.likes import Likes
from digest.matcher.meaning import Embedder, Meaning
from digest.matcher.pairs import Pairs
from digest.matcher.profiles import Profiles
from digest.matcher.proposals import Proposal, propose
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch, read
from digest.matcher.reasons import Explanation
from digest.matcher.related import Related
from digest.matcher.statistics import Statistics
from digest.model import Listing, Match, Profile


class Matcher:
    """Ranks listings for profiles by the statistics it is given; scores are 0..1.

    A score says how much of what a profile looks for a listing has, against what a typical profile
    finds: 0.25 is a listing that has one of its few keywords well or several in passing, 0.5 one
    that is about them. `archive` holds stored listings from before today; related terms are drawn
    from it (not below 300 listings) and likes are compared with it. `fresh` are listings that
    nobody could have liked yet: they add words and pairs, and are never counter-examples.
    `embedder` adds likeness in meaning as one more reason, if there is one.
    """

    def __init__(
        self,
        statistics: Statistics,
        archive: Sequence[Listing] = (),
        fresh: Sequence[Listing] = (),
        embedder: Embedder | None = None,
    ) -> None:
        self.statistics = statistics
        self.embedder = embedder
        self.archive = archive
        self.fresh = fresh
        self._one = lru_cache(maxsize=4096)(lambda profile, likes: self.compile([profile], [likes]))

    def renewed(self, statistics: Statistics) -> Matcher:
        """A matcher by newer statistics that keeps what was worked out of the same archive.

        What stands together in an archive, and what likes teach beside it, is not worth a minute
        of work whenever a listing comes.
        """
        newer = Matcher(statistics, self.archive, self.fresh, self.embedder)
        worked_out = vars(self).keys() & {"related", "meaning"}
        vars(newer).update((name, vars(self)[name]) for name in worked_out)
        return newer

    @cached_property
    def related(self) -> Related | None:
        """The archive, read when first needed, or None where there is none."""
        if not self.archive:
            return None
        return Related(self.archive, self.statistics, self.fresh)

    @cached_property
    def meaning(self) -> Meaning | None:
        """The model beside the archive, or None where there is none."""
        return Meaning(self.embedder, self.archive) if self.embedder else None

    def read(self, listings: Sequence[Listing]) -> Batch:
        """The listings, read once for several calls."""
        return read(listings)

    def compile(
        self,
        profiles: Iterable[Profile],
        likes: Sequence[Likes | None] | None = None,
        lexicon: Lexicon | None = None,
    ) -> Profiles:
        """The profiles as standing queries, to be kept between calls."""
        lexicon = Lexicon(self.statistics) if lexicon is None else lexicon
        compiled = Profiles(lexicon, self.related, self.meaning)
        compiled.extend(profiles, likes)
        return compiled

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
        return self.beside(compiled, batch).rank(limit, floors)

    def beside(self, compiled: Profiles, batch: Batch) -> Pairs:
        """Compiled profiles beside listings that were read, only to be ranked."""
        return Pairs(compiled, batch)

    def pairs(
        self,
        profiles: Sequence[Profile],
        listings: Sequence[Listing] | Batch,
        likes: Sequence[Likes | None] | None = None,
        lexicon: Lexicon | None = None,
    ) -> Pairs:
        """These profiles beside these listings, to be ranked and then looked at pair by pair.

        `lexicon` is one by the same statistics that knows what other profiles look for.
        """
        batch = listings if isinstance(listings, Batch) else read(listings)
        return Pairs(self.compile(profiles, likes, lexicon), batch, profiles)

    # --- followed authors ---------------------------------------------------------------------

    def followed(self, profiles: Sequence[Profile], listings: Sequence[Listing]) -> list[list[int]]:
        """For each profile the listings by an author it follows, without the excluded ones."""
        wrote: dict[str, list[tuple[int, Name]]] = {}
        for at, listing in enumerate(listings):
            for author in listing.authors:
                name = read_name(author)
                for word in {"".join(name.family), *name.given}:
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
            for name in map(read_name, profile.authors)
            for at, other in wrote.get("".join(name.family), ())
            if same_person(name, other)
        }
        return sorted(
            at for at in found if not (profile.exclude and self.excluded_by(profile, listings[at]))
        )

    # --- one profile, one listing -------------------------------------------------------------

    def match(self, profile: Profile, listing: Listing, likes: Likes | None = None) -> Match:
        """The score that `rank` gives, with its reasons; 0 and no reasons where excluded."""
        return self._pair(profile, listing, likes).match(0, 0)

    def excluded_by(self, profile: Profile, listing: Listing) -> str:
        """The exclusion that keeps the listing from this profile, or an empty text."""
        return self._pair(replace(profile, keywords=()), listing, None).excluded_by(0, 0)

    def explain(
        self, profile: Profile, listing: Listing, likes: Likes | None = None
    ) -> Explanation:
        """The match, the keywords that did not match, and what would pass the floor."""
        return self._pair(profile, listing, likes).explain(0, 0)

    def _pair(self, profile: Profile, listing: Listing, likes: Likes | None) -> Pairs:
        return Pairs(self._one(profile, likes), read([listing]), [profile])


def learn(
    profile: Profile, liked: Sequence[Listing], disliked: Sequence[Listing], matcher: Matcher
) -> list[Proposal]:
    """What these examples suggest changing in the profile, at most 8 proposals of each kind.

    They are compared with the matcher's archive; without one, with each other alone.
    """
    likes = Likes(tuple(liked), tuple(disliked))
    return propose(profile, likes, matcher.archive, matcher.statistics)
