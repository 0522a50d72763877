"""Texts from strangers: whatever comes in, a config or its faults come out, soon."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.config import parse_config, parse_subscribers, read_subscriber
from digest.config.faults import keys_of
from digest.config.reading import LISTS, TABLES
from digest.errors import ConfigError
from tests.config.building import ADA

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.text(max_size=20),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.dates(),
        st.times(),
        st.datetimes(),
        st.sampled_from(["ada@example.org", "https://example.org", "07:30", "mon", "UTC", "feed"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)
TABLE = {
    name: st.dictionaries(st.sampled_from([*keys_of(model), "zzz"]) | st.text(max_size=9), VALUES)
    for name, model in (TABLES | LISTS).items()
}
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        **{name: TABLE[name] | VALUES for name in TABLES},
        **{name: st.lists(TABLE[name], max_size=3) | VALUES for name in LISTS},
        "zzz": VALUES,
    },
)


def written(data: dict[str, Any]) -> str:
    """The data as TOML, as far as it can be written."""
    try:
        return tomli_w.dumps(data)
    except (TypeError, ValueError, UnicodeError):
        return ""


@settings(max_examples=60, deadline=None)
@given(CONFIGS)
def test_any_table_is_a_config_or_faults(data: dict[str, Any]) -> None:
    """No value of any type in any place ends in anything but printable one-line faults."""
    with pytest.raises(ConfigError) as caught:
        parse_config(written(data), "c.toml", Path("/srv"))
    assert caught.value.faults
    assert all(fault.isprintable() and len(fault) < 600 for fault in caught.value.faults)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_config_or_faults(text: str) -> None:
    """What is no TOML at all is a fault, never a traceback."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.toml", Path("/srv"))
    assert all(fault.isprintable() for fault in caught.value.faults)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "a = " + "[" * 60_000,
        "a = " + "{a=" * 20_000,
        "a." * 30_000 + "a = 1",
        "[" + "a." * 30_000 + "a]",
        "x = {" + "a." * 30_000 + "a = 1}",
        '"a".' * 15_000 + "a = 1",
        "'a' . " * 10_000 + "a = 1",
        '"' + '\\"' * 30_000,
        (("a." * 99 + "a = 1\n") * 300),
        "a = " + "9" * 60_000,
        "a = 0." + "9" * 60_000,
        f'{ADA}name = "{"x" * 60_000}"',
        f'[[subscribers]]\nemail = "{"a@" * 30_000}"',
        f'[[subscribers]]\nemail = "a@{"ü." * 20_000}"',
        f'{ADA}timezone = "{"a/" * 30_000}"',
        f"{ADA}{'x' * 60_000} = 1",
        f'{ADA}send_at = "{"9" * 60_000}"',
        f'{ADA}[subscribers.keywords]\n"{"a " * 30_000}" = 1',
        f'{ADA}[subscribers.keywords]\n"{"+" * 60_000}" = 1',
        f"{ADA}exclude = [{'1,' * 30_000}]",
        "".join(f"[[subscribers]]\nx{n} = 1\n" for n in range(2_000)),
        "\n".join(f"x{n} = 1" for n in range(4_000)),
    ],
    ids=lambda text: text[:12].replace("\n", " ") + str(len(text)),
)
def test_a_large_text_ends_soon(text: str) -> None:
    """64 kB, what a form takes at most, are answered in bearable time whatever they hold."""
    started = perf_counter()
    with pytest.raises(ConfigError):
        parse_subscribers(text, "web", "UTC")
    assert perf_counter() - started < 5


@pytest.mark.parametrize(
    "given",
    [
        {"keywords": {"\ud800 rivers": 1}},
        {"authors": ["Emmy \udfff Noether"]},
        {"organizations": ["Lab \ud800"]},
        {"exclude": ["rivers \ud800"]},
    ],
)
def test_half_a_character_is_told(given: dict[str, Any]) -> None:
    """JSON can write one, of a program of the API or of another system; no store can keep it."""
    with pytest.raises(ConfigError, match=r"holds half of a character \(U\+D"):
        read_subscriber({"email": "ada@example.org", **given}, "row", "UTC")
