"""The profile language: what a keyword, a name or an organization may be, and where it stands.

Owns how words are folded, parted and stemmed, the same for all that matches or marks them. Pure,
and light: who only marks terms in a mail need not load what ranks them.
"""

from digest.language.labs import check_organization, labs_named, read_lab
from digest.language.spans import find_all, find_spans
from digest.language.terms import check_author, check_exclusion, check_term

__all__ = [
    "check_author", "check_exclusion", "check_organization", "check_term", "find_all", "find_spans",
    "labs_named", "read_lab",
]  # fmt: skip
