"""Bad profiles: every fault with its exact line."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import parse_config
from digest.config.rows import SubscriberTable
from digest.config.terms import MAX_KEYWORDS, SETTINGS
from tests.config.building import ADA, PERSON, config, faults

DAYS = 'days are "mon", "tue", "wed", "thu", "fri", "sat" or "sun"'
WEIGHT = "a weight is a number from -100 to 100 and not 0"

SUBSCRIBERS = [
    ("days = ['Monday', 'tues']", f' days: "Monday", "tues": {DAYS}; did you mean "mon", "tue"?'),
    ("days = ['mon', 'x']", f' days: "x": {DAYS}'),
    ("days = [1]", f" days: 1: {DAYS}"),
    ("days = []", " days: must name one day at least"),
    ("days = 'mon'", ' days: must be a list in square brackets, not "mon"; did you mean ["mon"]?'),
    (
        "send_at = '7:30'",
        ' send_at: must be hours and minutes such as "07:30", not "7:30"; did you mean "07:30"?',
    ),
    (
        "send_at = '7pm'",
        ' send_at: must be hours and minutes such as "07:30", not "7pm"; did you mean "19:00"?',
    ),
    (
        "send_at = '24:00'",
        ' send_at: must be hours and minutes such as "07:30", not "24:00"; did you mean "00:00"?',
    ),
    (
        "send_at = '25:00'",
        ' send_at: must be hours and minutes such as "07:30", not "25:00"',
    ),
    ("send_at = 07:30:15", " send_at: must be hours and minutes, not 07:30:15"),
    ("send_at = 730", ' send_at: must be text such as "07:30", not 730'),
    (
        "timezone = 'London'",
        ' timezone: "London" is no IANA time zone such as "Europe/London"; '
        'did you mean "Europe/London"?',
    ),
    (
        "timezone = 'Mars/Olympus'",
        ' timezone: "Mars/Olympus" is no IANA time zone such as "Europe/London"',
    ),
    ("min_score = 25", " min_score: must be a number from 0 to 1, not 25"),
    ("min_score = -0.1", " min_score: must be a number from 0 to 1, not -0.1"),
    ("min_score = nan", " min_score: must be a number from 0 to 1, not nan"),
    (
        "min_score = '0.3'",
        ' min_score: must be a number, not "0.3"; did you mean 0.3 without quotes?',
    ),
    ("max_items = 0", " max_items: must be a whole number from 1 to 100, not 0"),
    ("max_items = 101", " max_items: must be a whole number from 1 to 100, not 101"),
    ("per_day = 0", " per_day: must be a whole number from 1 to 100, not 0"),
    ("per_day = 'x'", ' per_day: must be a whole number, not "x"'),
    ("trending = -1", " trending: must be a whole number from 0 to 100, not -1"),
    (
        "when_empty = 'nerest'",
        ' when_empty: must be "skip", "note" or "nearest", not "nerest"; did you mean "nearest"?',
    ),
    ("when_empty = 3", ' when_empty: must be "skip", "note" or "nearest", not 3'),
    ("related = 'no'", ' related: must be true or false, not "no"'),
    ("name = \"Ada\\nBcc: eve@evil.example\"", " name: must stay on one line"),
    (
        "authors = 'Emmy Noether'",
        ' authors: must be a list in square brackets, not "Emmy Noether"; '
        'did you mean ["Emmy Noether"]?',
    ),
    ("exclude = ['x-ray', 3]", " exclude #2 (3): must be text in quotes, not 3"),
    ("exclude = ['']", ' exclude #1 (""): the keyword is empty'),
    (
        "keywords = ['fusion']",
        ' keywords: must be a table of term = weight such as "fusion" = 2, not a list',
    ),
    (
        "keyword = 1",
        ' keyword: is no key here; did you mean "keywords"?',
    ),
]  # fmt: skip

KEYWORDS = [
    ('"x-ray" = "3"', f' "x-ray": {WEIGHT}, not "3"; did you mean 3 without quotes?'),
    ('"x-ray" = "much"', f' "x-ray": {WEIGHT}, not "much"'),
    ('"x-ray" = 0', f' "x-ray": {WEIGHT}, not 0'),
    ('"x-ray" = 0.0', f' "x-ray": {WEIGHT}, not 0.0'),
    ('"x-ray" = 100.5', f' "x-ray": {WEIGHT}, not 100.5'),
    ('"x-ray" = -101', f' "x-ray": {WEIGHT}, not -101'),
    ('"x-ray" = nan', f' "x-ray": {WEIGHT}, not nan'),
    ('"x-ray" = -inf', f' "x-ray": {WEIGHT}, not -inf'),
    ('"x-ray" = true', f' "x-ray": {WEIGHT}, not true'),
    ('"x-ray" = [1]', f' "x-ray": {WEIGHT}, not a list'),
    ("gpt-4.5 = 3", ' "gpt-4": a term with a dot stands in quotes, such as "gpt-4.5" = 2'),
    (
        "min_score = 0.3",
        ' "min_score": is a setting, no term: write it above [subscribers.keywords]',
    ),
    ("days = ['mon']", ' "days": is a setting, no term: write it above [subscribers.keywords]'),
    ('"" = 1', ' "": the keyword is empty'),
]


@pytest.mark.parametrize(
    ("body", "fault"),
    SUBSCRIBERS
    + [(f"[subscribers.keywords]\n{body}", f" keywords{fault}") for body, fault in KEYWORDS],
)
def test_a_fault_in_a_profile_names_the_person_and_the_place(body: str, fault: str) -> None:
    """A profile's fault says whose it is and where in it, down to the term."""
    assert faults(config(rest=f"{ADA}{body}")) == [PERSON + fault]


def test_a_term_that_the_matcher_refuses_is_a_fault_with_its_hint() -> None:
    """What the matcher says of a term is passed on, with the form that it offers."""
    body = '[subscribers.keywords]\n"titel:survey" = 1'
    (fault,) = faults(config(rest=f"{ADA}{body}"))
    assert fault.startswith(f'{PERSON} keywords "titel:survey": ')
    assert fault.endswith("did you mean 'title:survey'?")


@pytest.mark.parametrize(
    ("email", "fault"),
    [
        ('email = "ada"', ' (ada) email: "ada" is no mail address: it needs exactly one @'),
        ("email = 3", " email: must be text in quotes, not 3"),
        ("", ' email: is missing; it could be "ada@example.org"'),
        (
            'email = "ada@exa mple.org\\n"',
            ' (ada@exa mple.org\\u000a) email: "exa mple.org\\u000a" '
            "is no domain such as example.org",
        ),
    ],
)
def test_a_fault_in_an_address_is_one_printable_line(email: str, fault: str) -> None:
    """An address with line ends or none at all still gives one line."""
    assert faults(config(rest=f"[[subscribers]]\n{email}")) == [f"[[subscribers]] #1{fault}"]


def test_o10_two_subscribers_with_one_address_are_both_named() -> None:
    """The case of the domain makes no second person."""
    twice = f'{ADA}[[subscribers]]\nemail = "ada@EXAMPLE.org"\n'
    assert faults(config(rest=twice)) == [
        "[[subscribers]] #2 (ada@EXAMPLE.org) email: is the same as that of "
        "[[subscribers]] #1 (ada@example.org)"
    ]


def test_a_profile_holds_so_many_keywords_and_no_more() -> None:
    """The limit itself is fine, one more is a fault."""
    terms = [f'"term{number}" = 1' for number in range(MAX_KEYWORDS + 1)]
    head = f"{ADA}[subscribers.keywords]\n"
    fits = parse_config(config(rest=head + "\n".join(terms[:-1])), "c.toml", Path())
    assert len(fits.subscribers[0].profile.keywords) == MAX_KEYWORDS
    assert faults(config(rest=head + "\n".join(terms))) == [
        f"{PERSON} keywords: holds 501 keywords, the most is 500"
    ]


def test_so_many_exclusions_and_no_more() -> None:
    """Exclusions and authors have the same limit as keywords."""
    terms = ", ".join(f'"term{number}"' for number in range(MAX_KEYWORDS + 1))
    assert faults(config(rest=f"{ADA}exclude = [{terms}]")) == [
        f"{PERSON} exclude: holds 501, the most is 500"
    ]


def test_settings_that_could_slip_are_the_keys_of_a_subscriber() -> None:
    """The list of settings below keywords keeps up with the keys of a subscriber."""
    assert {key for key in SubscriberTable.model_fields if "_" in key} == SETTINGS
