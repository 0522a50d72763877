"""What is to be known of an arXiv paper beside its abstract, in words."""

from __future__ import annotations

import re

_WITHDRAWN = re.compile(r"\bwithdrawn\b", re.IGNORECASE)


def note_of(version: int, comment: str, published: str) -> str:
    """A later version, a withdrawal and where it came out, parted by semicolons."""
    parts = [
        f"version {version}" if version > 1 else "",
        "withdrawn" if _WITHDRAWN.search(comment) else "",
        published,
    ]
    return "; ".join(part for part in parts if part)
