"""Bad sources: every fault with its exact line."""

from __future__ import annotations

import pytest

from tests.config.building import ARXIV, FEED, MARKER, config, faults

SOURCES = [
    ('kind = "arxiv"\ncategories = ["cs.CL"]', ' name: is missing; it could be "arXiv cs.CL"'),
    ('name = "x"', ' (x) kind: is missing; it could be "arxiv"'),
    ('name = "x"\nkind = "axriv"', " (x) kind: unknown kind 'axriv'; did you mean 'arxiv'?"),
    ('name = "x"\nkind = "feed"', " (x): needs a url or a path"),
    (
        'name = "x"\nkind = "arxiv"\ncategories = ["cs.cl"]',
        " (x): 'cs.cl' is no arXiv category; did you mean 'cs.CL'?",
    ),
    (f"{FEED}path = 'x'".partition("\n")[2], " (feed) path: stands beside url; keep one of them"),
    (
        'name = "x"\nkind = "feed"\nurl = "file:///etc/passwd"',
        ' (x) url: "file:///etc/passwd" is no web address such as '
        '"https://export.arxiv.org/rss/cs.CL"',
    ),
    (
        f'name = "x"\nkind = "feed"\nurl = "https://ada:{MARKER}@example.org/"',
        " (x) url: a user name and password do not belong in a web address",
    ),
    (
        f"{FEED}every = 30".partition("\n")[2],
        ' (feed) every: needs a unit: s, m, h or d; did you mean "30m"?',
    ),
    (
        f"{FEED}every = '1y'".partition("\n")[2],
        ' (feed) every: must be a number and s, m, h or d, such as "30m", "6h" or "1d", not "1y"',
    ),
    (
        f"{FEED}every = '5s'".partition("\n")[2],
        ' (feed) every: must be from "1m" to "31d", not "5s"',
    ),
    (
        f"{FEED}every = '99d'".partition("\n")[2],
        ' (feed) every: must be from "1m" to "31d", not "99d"',
    ),
    (
        f"{FEED}every = 1.5".partition("\n")[2],
        ' (feed) every: must be text such as "6h", not 1.5',
    ),
    (
        f"{FEED}max_age_days = 0".partition("\n")[2],
        " (feed) max_age_days: must be a whole number from 1 to 3650, or false for every age, "
        "not 0",
    ),
    (
        f"{FEED}max_age_days = true".partition("\n")[2],
        " (feed) max_age_days: must be a whole number from 1 to 3650, or false for every age, "
        "not true",
    ),
    (
        f"{FEED}categories = 'cs.CL'".partition("\n")[2],
        ' (feed) categories: must be a list in square brackets, not "cs.CL"; '
        'did you mean ["cs.CL"]?',
    ),
    (
        f"{FEED}categories = ['cs.CL', 3]".partition("\n")[2],
        " (feed) categories #2 (3): must be text in quotes, not 3",
    ),
    (
        f"{FEED}max_age = 3".partition("\n")[2],
        ' (feed) max_age: is no key here; did you mean "max_age_days"?',
    ),
]


@pytest.mark.parametrize(("body", "fault"), SOURCES)
def test_a_fault_in_a_source_names_its_number_and_name(body: str, fault: str) -> None:
    """A source is found by its number, and by its name where it has one."""
    found = faults(config(rest=f"[[sources]]\n{body}"))
    assert found == [f"[[sources]] #1{fault}"]
    assert MARKER not in str(found)


def test_two_sources_with_one_name_are_both_named() -> None:
    """A source's name is how the receipt tells it from the others."""
    twice = FEED + ARXIV.replace("arXiv", "feed")
    assert faults(config(rest=twice)) == [
        "[[sources]] #2 (feed) name: is the same as that of [[sources]] #1 (feed)"
    ]
