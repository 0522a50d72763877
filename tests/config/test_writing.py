"""Subscribers written as TOML and read again."""

from __future__ import annotations

import tomllib
from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config import parse_subscribers, profile_toml
from digest.config.rows import SubscriberTable
from digest.config.times import read_every, write_every, zones
from digest.errors import KeywordError
from digest.language import check_author, check_exclusion, check_organization, check_term
from digest.model import WEEKDAYS, Abstracts, Keyword, Profile, Subscriber, WhenEmpty

WORDS = st.sampled_from(["fusion", "x-ray", "C++", "Möbius", "α-diversity", "GPT-4.5", "k-NN"])
PHRASES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
TERMS = st.one_of(
    PHRASES,
    PHRASES.map('"{}"'.format),
    PHRASES.map("title:{}".format),
    st.tuples(PHRASES, PHRASES).map(" + ".join),
    st.just("quantiz*"),
    st.just("category:cs.CR"),
    st.text(max_size=30),
)
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)


def passes(check: object, text: str) -> bool:
    """Whether the matcher takes the text."""
    assert callable(check)
    try:
        check(text)
    except KeywordError:
        return False
    return True


KEYWORDS = st.dictionaries(
    TERMS.filter(lambda term: passes(check_term, term)),
    st.one_of(st.integers(-100, 100), st.floats(-100, 100)).filter(bool).map(float),
    max_size=8,
).map(lambda table: tuple(Keyword(term, weight) for term, weight in table.items()))

PROFILES = st.builds(
    Profile,
    keywords=KEYWORDS,
    exclude=st.lists(TERMS.filter(lambda t: passes(check_exclusion, t)), max_size=3).map(tuple),
    authors=st.lists(LINES.filter(lambda t: passes(check_author, t)), max_size=3).map(tuple),
    min_score=st.floats(0, 1),
    max_items=st.integers(1, 100),
    per_day=st.none() | st.integers(1, 100),
    trending=st.integers(0, 100),
    when_empty=st.sampled_from(WhenEmpty),
    related=st.booleans(),
    learn=st.booleans(),
    organizations=st.lists(LINES.filter(lambda t: passes(check_organization, t)), max_size=3).map(
        tuple
    ),
    abstracts=st.sampled_from(Abstracts),
)

SUBSCRIBERS = st.builds(
    Subscriber,
    email=st.sampled_from(["ada@example.org", "A.B+c@xn--bcher-kva.example", "o'h@example.org"]),
    profile=PROFILES,
    timezone=st.sampled_from(sorted(zones())),
    send_at=st.times().map(lambda found: time(found.hour, found.minute)),
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1).map(
        lambda days: tuple(day for day in WEEKDAYS if day in days)
    ),
    name=LINES,
)


@settings(deadline=None)
@given(SUBSCRIBERS)
def test_a_subscriber_is_read_as_written(subscriber: Subscriber) -> None:
    """Whatever the settings, what is written gives the same settings again."""
    assert parse_subscribers(profile_toml(subscriber), "text", "UTC") == (subscriber,)


@settings(max_examples=15, deadline=None)
@given(st.lists(SUBSCRIBERS, max_size=3, unique_by=lambda one: one.email))
def test_subscribers_are_written_one_after_another(subscribers: list[Subscriber]) -> None:
    """The tables of several subscribers make one text."""
    text = "\n".join(map(profile_toml, subscribers))
    assert parse_subscribers(text, "text", "UTC") == tuple(subscribers)


def test_a_profile_reads_as_a_person_would_write_it() -> None:
    """The keys stand in the order of the reference; what says nothing is left out."""
    profile = Profile((Keyword("fusion", 2.0), Keyword("title:survey", -0.5)), max_items=5)
    text = profile_toml(Subscriber("ada@example.org", profile, days=("mon",)))
    assert text == (
        "[[subscribers]]\n"
        'email = "ada@example.org"\n'
        'timezone = "UTC"\n'
        'send_at = "07:30"\n'
        'days = [\n    "mon",\n]\n'
        "min_score = 0.25\n"
        "max_items = 5\n"
        "trending = 0\n"
        'when_empty = "skip"\n'
        'abstracts = "short"\n'
        "related = true\n"
        "learn = false\n"
        "\n"
        "[subscribers.keywords]\n"
        "fusion = 2\n"
        '"title:survey" = -0.5\n'
    )


def test_every_key_of_a_subscriber_is_written() -> None:
    """A key that is added to the table is added to the export."""
    profile = Profile(
        (Keyword("fusion"),),
        exclude=("survey",),
        authors=("Emmy Noether",),
        organizations=("Example Lab",),
        per_day=3,
    )
    text = profile_toml(Subscriber("ada@example.org", profile, name="Ada"))
    (written,) = tomllib.loads(text)["subscribers"]
    assert list(written) == list(SubscriberTable.model_fields)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "90s"), (5400, "90m"), (7200, "2h"), (86400, "1d")]
)
def test_a_duration_is_written_in_its_largest_unit(seconds: int, text: str) -> None:
    """Durations are written as people write them, and read again."""
    assert write_every(seconds) == text
    assert read_every(text) == seconds
