"""Files that are no TOML, or TOML that is no config."""

from __future__ import annotations

import pytest

from tests.config.building import ADA, MARKER, PERSON, config, faults

TOP_LEVEL = [
    ("[sevice]\nx = 1\n", "[sevice]: is no table here; did you mean [service]?"),
    ("[subscriber]\n", "[subscriber]: is no table here; did you mean [[subscribers]]?"),
    (
        "[keywords]\nfusion = 1\n",
        "[keywords]: is no table here; did you mean [subscribers.keywords]?",
    ),
    (
        "[zzz]\n",
        "[zzz]: is no table here; tables are [service], [mail], [smtp], [operator], [dkim], [web], "
        "[bounces], [bounces.imap], [[smtp.relays]], [[smtp.providers]], [[sources]], "
        "[[subscribers]]",
    ),
    (
        "[subscribers]\n",
        "[subscribers]: must be written [[subscribers]], in two brackets, for each one",
    ),
    ("[sources.arxiv]\n", "[sources]: must be written [[sources]], in two brackets, for each one"),
]


@pytest.mark.parametrize(("text", "fault"), TOP_LEVEL)
def test_a_table_that_does_not_exist_is_a_fault(text: str, fault: str) -> None:
    """A table's name is held to what exists, as keys are."""
    assert faults(config(rest=text)) == [fault]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("port = 25", "port: stands before the first table; write it below [smtp] or [web]"),
        ("zzz = 1", "zzz: stands before the first table"),
        ("sources = 3", "[sources]: must be written [[sources]], in two brackets, for each one"),
        ("web = 3", "[web]: must be a table, not 3"),
    ],
)
def test_a_key_before_the_tables_is_told_its_place(line: str, fault: str) -> None:
    """A key at the top of the file belongs to no table; the fault says to which it could."""
    assert faults(f"{line}\n{config()}") == [fault]


def test_all_faults_are_told_at_once() -> None:
    """Every table's faults come in one go, in the order of the file, conflicts included."""
    text = config(
        service='base_url = "x"\ntimezone = "y"',
        mail="",
        smtp='host = "mail.example.org"\nport = 0\ntls = "none"\nprot = 1',
        rest=f"{ADA}days = []\nmax_items = 0\n[subscribers.keywords]\n'a b' = 0\n'c d' = 0\n",
    )
    assert [fault.partition(": ")[0] for fault in faults(text)] == [
        "[service] base_url",
        "[service] timezone",
        "[mail] from",
        "[smtp] port",
        "[smtp] prot",
        "[smtp] tls",
        f"{PERSON} days",
        f"{PERSON} max_items",
        f'{PERSON} keywords "a b"',
        f'{PERSON} keywords "c d"',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = ", "line 1: the text ends where a value, a quote or a bracket is missing"),
        ("\n\na = [1,\n\n", "line 3: the text ends where a value, a quote or a bracket is missing"),
        ('a = "x', "line 1: the text ends where a value, a quote or a bracket is missing"),
        ("[a]\nb = 1\nb = 2", "line 3: the key or table stands here a second time"),
        ("[a]\n[b]\n[a]\n", "line 3: the key or table stands here a second time"),
        (
            "[k]\nspeculative decoding = 3",
            "line 2, column 13: this is not TOML (expected '=' after a key in a key/value pair); "
            'a term of more than one word stands in quotes: "two words" = 3',
        ),
        (
            "[k]\nname = Ada",
            "line 2, column 8: this is not TOML (invalid value); "
            'text stands in quotes: key = "text"',
        ),
        (
            "send_at = 07:30",
            "line 1, column 12: this is not TOML (expected newline or end of document after a "
            'statement); text stands in quotes: key = "text"',
        ),
        (
            'path = "C:\\pages"',
            "line 1, column 13: this is not TOML (unescaped '\\' in a string); "
            "write \\\\ for a backslash, or the text in single quotes",
        ),
        ("a = " + "[" * 5000, "the brackets are nested too deep"),
        ("a = 1\n" + "b." * 101 + "b = 1", "line 2: more than 100 dots outside of quotes"),
        ("a = " + "9" * 5000, "holds a number that is too long"),
    ],
)
def test_a_syntax_fault_names_the_line(text: str, fault: str) -> None:
    """What is no TOML is told with its line and the likely cure."""
    assert faults(text) == [fault]


def test_d1_a_syntax_fault_shows_no_line() -> None:
    """The line may be a password: only its number is told."""
    assert MARKER not in str(faults(f"[smtp]\npassword = {MARKER}\n"))
    assert MARKER not in str(faults(f'[smtp]\npassword = "{MARKER}'))
