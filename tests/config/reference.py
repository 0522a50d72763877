"""The reference of every key in `docs/configuration.md`, made from the tables of the code.

`python -m tests.config.reference` makes it anew; a test holds the two equal.
"""

from __future__ import annotations

import json
from datetime import time
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from digest import addresses
from digest.config import places, returns, text, times, values
from digest.config.faults import choices, keys_of, limits
from digest.config.reading import LISTS, TABLES
from digest.config.tables import Table
from digest.config.terms import MAX_KEYWORDS, read_keywords, read_limited

GUIDE = Path(__file__).parents[2] / "docs" / "configuration.md"

WORDS: dict[object, str] = {
    places.check_base_url: "web address",
    places.check_data: "file or postgresql:// address",
    places.check_host: "host",
    places.check_network: "IP address or network",
    places.check_selector: "DNS name",
    places.check_source_url: "web address",
    places.check_host_port: "host:port",
    places.join_glob: "files",
    places.read_path: "file",
    returns.check_prefix: "text",
    read_keywords: "table of term = weight",
    read_limited: f"list, up to {MAX_KEYWORDS}",
    text.check_line: "text",
    text.check_optional_line: "text",
    text.check_query: "text",
    text.check_text: "text",
    text.read_list: "list",
    times.check_timezone: "IANA time zone",
    times.read_clock: '`"HH:MM"`',
    times.read_days: 'list of `"mon"` to `"sun"`',
    times.read_every: '`"30m"`, `"6h"`, `"1d"`',
    times.read_max_age: f"from 1 to {times.MAX_AGE_DAYS}, or `false`",
    addresses.check_address: "mail address",
    addresses.check_domain: "domain",
    values.check_kind: "kind",
    values.read_sender: '`"Name <address>"`',
}
"""What a check takes, in words."""

START, END = "<!-- keys, made by tests/config/reference.py -->\n\n", "<!-- end of keys -->\n"


def keys() -> str:
    """The part of the guide that is made: a section for each table."""
    return "".join(
        [
            *(_section(f"[{name}]", model) for name, model in TABLES.items()),
            *(_section(f"[[{name}]]", model) for name, model in LISTS.items()),
        ]
    )


def refreshed(guide: str) -> str:
    """The guide with its keys made anew."""
    before, _, rest = guide.partition(START)
    return f"{before}{START}{keys()}{END}{rest.partition(END)[2]}"


def _section(head: str, model: type[Table]) -> str:
    """One table of the config as a table of the guide."""
    rows = [_row(key, field) for key, field in keys_of(model).items()]
    what = (model.__doc__ or "").strip().partition("\n")[0]
    return "\n".join(
        [
            f"## {head}",
            "",
            what,
            "",
            "| key | value | without it | meaning |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "",
        ]
    )


def _row(key: str, field: FieldInfo) -> str:
    """One key."""
    example = f" For example `{_toml(field.examples[0])}`." if field.examples else ""
    cells = [f"`{key}`", value_words(field), _default(field), f"{field.description}{example}"]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def value_words(field: FieldInfo) -> str:
    """What a key holds, in words."""
    if words := choices(field):
        return ", ".join(f'`"{word}"`' for word in words)
    if field.annotation is bool:
        return "`true` or `false`"
    for mark in [*field.metadata, *_inner_marks(field)]:
        if (word := WORDS.get(getattr(mark, "func", None))) is not None:
            return word
    whole = field.annotation is int or int in get_args(field.annotation)
    return f"{'whole number' if whole else 'number'} {limits(field)}".strip()


def _inner_marks(field: FieldInfo) -> list[Any]:
    """The checks inside `Annotated[…] | None`."""
    return [
        mark for part in get_args(field.annotation) for mark in getattr(part, "__metadata__", ())
    ]


def _default(field: FieldInfo) -> str:
    """What stands where the key is left out."""
    if field.is_required():
        return "**needed**"
    value = field.default
    if field.default_factory is not None or value in (None, "", ()):
        return ""
    if any(getattr(mark, "func", None) is times.read_every for mark in field.metadata):
        value = times.write_every(value)
    return f"`{_toml(value)}`"


def _toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return ", ".join(f'"{term}" = {weight}' for term, weight in value.items())
    if isinstance(value, time):
        value = f"{value:%H:%M}"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


if __name__ == "__main__":
    GUIDE.write_text(refreshed(GUIDE.read_text("utf-8")), encoding="utf-8")
