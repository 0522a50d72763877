"""The matcher: how well each listing fits each weighted profile, and why.

Pure: values in, values out; no I/O, no clock. `docs/matching.md` explains the method.
"""

from digest.matcher.examples import all_in_one, examples, sense
from digest.matcher.floors import Days, Floors, fit_floor, fitted
from digest.matcher.formula import squash
from digest.matcher.lexicon import Lexicon, share_of
from digest.matcher.likes import Likes
from digest.matcher.matching import Matcher, learn
from digest.matcher.pairs import BARRED, Pairs
from digest.matcher.profiles import Profiles
from digest.matcher.proposals import Proposal
from digest.matcher.ranking import Ranking
from digest.matcher.reading import Batch
from digest.matcher.reasons import Explanation
from digest.matcher.statistics import Statistics, terms_of

__all__ = [
    "BARRED", "Batch", "Days", "Explanation", "Floors", "Lexicon", "Likes", "Matcher", "Pairs",
    "Profiles", "Proposal", "Ranking", "Statistics", "all_in_one", "examples", "fit_floor",
    "fitted", "learn", "sense", "share_of", "squash", "terms_of",
]  # fmt: skip
