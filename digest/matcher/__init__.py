"""The matcher: how well each listing fits each weighted profile, and why.

Pure: values in, values out; no I/O, no clock. `docs/matching.md` explains the method.
"""

from digest.matcher.floors import Days, Floors, fit_floor, fitted
from digest.matcher.labs import check_organization, labs_named, read_lab
from digest.matcher.likes import Likes
from digest.matcher.matching import Matcher, learn
from digest.matcher.pairs import Pairs
from digest.matcher.profiles import Profiles
from digest.matcher.proposals import Proposal
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch
from digest.matcher.reasons import Explanation
from digest.matcher.spans import find_all, find_spans
from digest.matcher.statistics import Statistics, terms_of
from digest.matcher.terms import check_author, check_exclusion, check_term

__all__ = [
    "Batch", "Days", "Explanation", "Floors", "Likes", "Matcher", "Pairs", "Profiles", "Proposal",
    "Ranking", "Statistics", "check_author", "check_exclusion", "check_organization", "check_term",
    "find_all", "find_spans", "fit_floor", "fitted", "labs_named", "learn", "read_lab", "terms_of",
]  # fmt: skip
