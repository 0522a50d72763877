"""The `tag=value; tag=value` of DKIM and DMARC records. Source: RFC 6376 3.2, RFC 9989 4.7."""

from __future__ import annotations


def read_tags(record: str) -> dict[str, str]:
    """The tags of a record by their names in small letters; the first of two equal ones counts."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def zone_line(name: str, kind: str, data: str) -> str:
    """A record as a line of a zone file; text stands in strings of at most 255 octets.

    Source: RFC 1035 3.3.14 and 5.1.
    """
    if kind == "TXT":
        cuts = range(0, len(data), 255)
        data = " ".join(f'"{data[start : start + 255]}"' for start in cuts)
    return f"{name}. IN {kind} {data}"
