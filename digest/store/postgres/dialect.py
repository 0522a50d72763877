"""The SQL that the verbs are written in, as PostgreSQL and psycopg read it."""

from __future__ import annotations

import re
from functools import lru_cache

_PIECE = re.compile(
    r"(?P<text>'[^']*')"
    r"|(?P<percent>%)"
    r"|(?P<place>\?)"
    r"|(?<!:):(?P<name>[a-z_]+)"
    r"|(?P<like>\bLIKE\b)"
    r"|(?P<hint>\s+INDEXED BY \w+)"
)


@lru_cache(maxsize=512)
def translated(sql: str) -> str:
    """The statement with psycopg's parameters, `%s` and `%(name)s`.

    `LIKE` of SQLite passes over the case of letters; its hints for the planner are left out.
    """
    return _PIECE.sub(_piece, sql)


def _piece(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "text":
            return found["text"].replace("%", "%%")
        case "percent":
            return "%%"
        case "place":
            return "%s"
        case "name":
            return f"%({found['name']})s"
        case "like":
            return "ILIKE"
        case _:
            return ""
