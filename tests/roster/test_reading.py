"""Files of people: which format, which encoding, what a row says, and what rubbish does."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.addresses import check_address
from digest.errors import ConfigError
from digest.roster import Entry, Fault, Roster, There, open_roster
from digest.roster.entries import mailbox, moment_of
from digest.roster.reading import MAX_CELL

LISTMONK = """\
uuid,email,name,attributes,status,created_at,updated_at
0a,ada@example.org,Ada,"{""keywords"": [""rivers""], ""city"": ""Bath""}",enabled,\
2021-03-04 10:11:12.5 +0000 UTC,2021-03-04 10:11:12 +0000 UTC
0b,off@example.org,Off,{},disabled,,
0c,gone@example.org,Gone,{},blocklisted,,
"""

ROSTER = """\
"Full name","email address","mod","hide","nomail","ack","not metoo","nodupes","digest","plain"
"Kurt Gödel","kurt@example.org","off","off","off","on","off","on","off","off"
"","emmy@example.org","off","off","[B]","on","off","on","off","off"
"","uli@example.org","off","off","[U]","on","off","on","off","off"
"","admin@example.org","off","off","[A]","on","off","on","off","off"
"""

MEMBERS = """\
plain@example.org
"O'Hara, \\"Pat\\"" <pat@example.org>
=?utf-8?q?J=C3=BCrgen?= <j@example.org>
carl@example.org (Carl Gauss)

# a note
"""


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(folder: Path, content: str | bytes, wanted: str = "") -> Roster:
    """The list in a file with that content."""
    return open_roster(written(folder, content), wanted)


def people(roster: Roster) -> list[Entry]:
    """Its rows, of which none is faulty."""
    rows = list(roster.rows())
    assert not [row for row in rows if isinstance(row, Fault)]
    return [row for row in rows if isinstance(row, Entry)]


def fault(roster: Roster) -> Fault:
    """Its only faulty row."""
    (one,) = [row for row in roster.rows() if isinstance(row, Fault)]
    return one


def test_an_export_of_listmonk_is_read(tmp_path: Path) -> None:
    """States, times as Go writes them, keywords among the attributes."""
    roster = opened(tmp_path, LISTMONK)
    ada, off, gone = people(roster)
    assert (roster.format, roster.unused, roster.tells_who_left) == ("listmonk", (), False)
    assert (ada.email, ada.name, ada.there) == ("ada@example.org", "Ada", There.SUBSCRIBED)
    assert ada.settings == {"keywords": {"rivers": 1}}
    assert ada.joined_at == datetime(2021, 3, 4, 10, 11, 12, 500_000, UTC)
    assert (off.there, gone.there) == (There.BLOCKED, There.LEFT)


@pytest.mark.parametrize(
    ("status", "subscription", "there"),
    [
        ("enabled", "confirmed", There.SUBSCRIBED),
        ("enabled", "unconfirmed", There.UNCONFIRMED),
        ("enabled", "unsubscribed", There.LEFT),
        ("blocklisted", "confirmed", There.LEFT),
        ("disabled", "unconfirmed", There.BLOCKED),
    ],
)
def test_the_worse_of_two_states_counts(
    tmp_path: Path, status: str, subscription: str, there: There
) -> None:
    """That of the person, and that of the list which was asked for."""
    text = f"email,status,subscription_status\nada@example.org,{status},{subscription}\n"
    roster = opened(tmp_path, text)
    assert people(roster)[0].there is there
    assert (roster.format, roster.tells_who_left) == ("listmonk", True)


def test_a_membership_list_of_mailman_is_read(tmp_path: Path) -> None:
    """Who has turned it off has left; whose mail bounced is not mailed either."""
    roster = opened(tmp_path, ROSTER)
    assert (roster.format, roster.unused) == ("mailman", ())
    assert [(one.name, one.there) for one in people(roster)] == [
        ("Kurt Gödel", There.SUBSCRIBED),
        ("", There.FAILING),
        ("", There.LEFT),
        ("", There.BLOCKED),
    ]


def test_lines_of_mailboxes_are_read(tmp_path: Path) -> None:
    """As `list_members`, with names or without, and `mailman members` print them."""
    roster = opened(tmp_path, MEMBERS)
    assert roster.format == "mailman"
    assert [(one.line, one.name, one.email) for one in people(roster)] == [
        (1, "", "plain@example.org"),
        (2, 'O\'Hara, "Pat"', "pat@example.org"),
        (3, "Jürgen", "j@example.org"),
        (4, "Carl Gauss", "carl@example.org"),
    ]
    assert people(opened(tmp_path, "ant.example.com has no members\n")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Email Address,First Name,Last Name\nada@example.org,Ada,Lovelace\n",
        "E-Mail;Full Name\nada@example.org;Ada Lovelace\n",
        "name\te-mail address\nAda Lovelace\tada@example.org\n",
        "\n# exported\nEMAIL|NAME\nada@example.org|Ada Lovelace\n",
        "email\nAda Lovelace <ada@example.org>\n",
        'email,name\n"ada@example.org","Ada Lovelace"\r\n\r\n',
        "email,name\r mailto:ada@example.org,Ada Lovelace",
    ],
)
def test_a_table_is_read_by_its_head(tmp_path: Path, text: str) -> None:
    """Whatever the columns are called, in whatever order, and whatever parts the cells."""
    (ada,) = people(opened(tmp_path, text))
    assert (ada.email, ada.name) == ("ada@example.org", "Ada Lovelace")


def test_settings_stand_in_columns_with_the_names_of_the_config(tmp_path: Path) -> None:
    """Blank cells say nothing; heads that mean nothing are told."""
    text = "email,keywords,time zone,min score,days,learn,authors,per_day,shoe size\n"
    text += "ada@example.org,rivers=2;lakes,Europe/London,0.4,mon tue,yes,Emmy Noether,,39\n"
    roster = opened(tmp_path, text)
    (ada,) = people(roster)
    assert ada.settings == {
        "keywords": {"rivers": 2, "lakes": 1},
        "timezone": "Europe/London",
        "min_score": 0.4,
        "days": ["mon", "tue"],
        "learn": True,
        "authors": ["Emmy Noether"],
    }
    assert (roster.brings_profiles, roster.unused) == (True, ("shoe size",))


@pytest.mark.parametrize("wanted", ["csv", "listmonk"])
def test_a_table_without_a_head_is_told(tmp_path: Path, wanted: str) -> None:
    """A format that was named has to fit."""
    with pytest.raises(ConfigError, match=r"people\.csv: line 1: .*names of its columns"):
        opened(tmp_path, "ada@example.org\n", wanted)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no line that says anything"),
        (b"\n\n  \n", "holds no line that says anything"),
        (b"Name,Adresse\nAda,ada\n", 'line 1: no column of "Name", "Adresse" is named for the'),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: no column of"),
        (b"\x00" * 5000, "holds no line|line 1"),
    ],
)
def test_what_is_no_list_of_people_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """With the file, the line, and what was looked for."""
    with pytest.raises(ConfigError, match=told) as refused:
        opened(tmp_path, content)
    assert refused.value.faults[0].startswith(str(tmp_path / "people.csv"))


def test_what_cannot_be_read_twice_is_refused(tmp_path: Path) -> None:
    """A folder, and a file that is not there."""
    with pytest.raises(ConfigError, match="it is no file"):
        open_roster(tmp_path)
    with pytest.raises(ConfigError, match="there is no such file"):
        open_roster(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    "encoded",
    [
        ROSTER.encode("utf-8"),
        codecs.BOM_UTF8 + ROSTER.encode("utf-8"),
        ROSTER.encode("utf-16"),
        codecs.BOM_UTF16_BE + ROSTER.encode("utf-16-be"),
        ROSTER.encode("utf-16-le"),
        ROSTER.encode("utf-16-be"),
        ROSTER.encode("latin-1"),
        ROSTER.encode("cp1252"),
    ],
    ids=["utf8", "utf8-mark", "utf16", "utf16-be-mark", "utf16-le", "utf16-be", "latin1", "cp1252"],
)
def test_every_usual_encoding_is_read(tmp_path: Path, encoded: bytes) -> None:
    """Marked or not, a name comes out as it was."""
    assert people(opened(tmp_path, encoded))[0].name == "Kurt Gödel"


def test_a_letter_far_down_tells_the_encoding(tmp_path: Path) -> None:
    """UTF-8 is only what is UTF-8 to its end."""
    many = "".join(f"a{n}@example.org,A\n" for n in range(1000))
    late = f"email,name\n{many}k@example.org,Gödel\n"
    for encoding in ("utf-8", "latin-1"):
        assert people(opened(tmp_path, late.encode(encoding)))[-1].name == "Gödel"


TABLE = "email,name,state,keywords\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("ada@example,Ada,,", "no full domain"),
        ("ada example.org,Ada,,", "exactly one @"),
        (",Ada,,", "has no address"),
        ("ada@example.org)bob@evil.example,,,", "no mail address"),
        ("ada\x00@example.org,,,", "no mail address"),
        ("ada@example.org,Ada,,a,b,c", "has 6 cells, the head 4"),
        ("ada@example.org,Ada,vip,", '"vip" is no state'),
        ('ada@example.org,"Ada" Lovelace,,', "quote"),
        ('ada@example.org,"' + "x" * MAX_CELL + 'xx",,', "more than 100,000 characters"),
        ("ada@example.org," + "x" * 300_000 + ",,", "more than 100,000 characters"),
        ("ada@example.org" * 100 + ",,,", "longer than an address can be"),
        ("ü@example.org,,,", "letters before the @"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_and_costs_no_other(
    tmp_path: Path, row: str, told: str
) -> None:
    """By its line; the rows around it are read."""
    roster = opened(tmp_path, f"{TABLE}x@example.org,,,\n{row}\ny@example.org,,,\n")
    assert (fault(roster).line, told in fault(roster).why) == (3, True), fault(roster)
    assert [r.email for r in roster.rows() if isinstance(r, Entry)] == [
        "x@example.org",
        "y@example.org",
    ]


def test_a_quote_that_is_not_closed_is_told(tmp_path: Path) -> None:
    """What it swallows is not taken for a name, and nobody is lost without a word."""
    roster = opened(tmp_path, f'{TABLE}x@example.org,"Ada,,\ny@example.org,,,\nz@example.org,,,\n')
    assert fault(roster) == Fault(
        2, "a quote is opened here and not closed; nothing up to line 4 is read"
    )


def test_torn_json_is_told_and_deep_json_harmless(tmp_path: Path) -> None:
    """In attributes, and in cells that may be JSON."""
    head = "email,attributes,keywords\n"
    assert "no JSON" in fault(opened(tmp_path, head + "ada@example.org,{oops,\n")).why
    deep = "[" * 50_000
    assert "no JSON" in fault(opened(tmp_path, f"{head}ada@example.org,{deep},\n")).why
    assert people(opened(tmp_path, f"{head}ada@example.org,,{deep}\n"))[0].settings
    assert people(opened(tmp_path, f"{head}ada@example.org,[1],[{{}}]\n"))[0].settings


def test_names_lose_what_cannot_be_shown(tmp_path: Path) -> None:
    """A name may not steer a terminal, and a long one is cut."""
    text = f'email,name\nada@example.org,"A\x1b[31mda\nL"\nbob@example.org,{"b " * 2000}\n'
    ada, bob = people(opened(tmp_path, text))
    assert ada.name == "A [31mda L"
    assert len(bob.name) <= 200


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("ada@example.org", ("", "ada@example.org")),
        ("<ada@example.org>", ("", "ada@example.org")),
        ("Ada <ada@example.org>", ("Ada", "ada@example.org")),
        ('"Lovelace, Ada" <ada@example.org>', ("Lovelace, Ada", "ada@example.org")),
        ("ada@example.org (Ada)", ("Ada", "ada@example.org")),
        ("=?utf-8?b?S3VydCBHw7ZkZWw=?= <k@example.org>", ("Kurt Gödel", "k@example.org")),
        ("=?nonsense?q?x?= <k@example.org>", ("=?nonsense?q?x?=", "k@example.org")),
        # What lenient parsers take for alice's address stays one text, which no check lets pass.
        ("alice@example.org)bob@evil.example", ("", "alice@example.org)bob@evil.example")),
        ("a <b@example.org> <c@example.org>", ("", "a <b@example.org> <c@example.org>")),
    ],
)
def test_o8_a_mailbox_is_taken_apart_by_our_own_rules(cell: str, read: tuple[str, str]) -> None:
    """Only the usual forms; anything else is left for the address check to refuse."""
    assert mailbox(cell) == read


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-03-04 10:11:12.123456789 +0530 IST", datetime(2021, 3, 4, 4, 41, 12, 123456, UTC)),
        ("2021-03-04T10:11:12Z", datetime(2021, 3, 4, 10, 11, 12, 0, UTC)),
        ("2021-03-04", datetime(2021, 3, 4, tzinfo=UTC)),
        ("0001-01-01 00:00:00 +0000 UTC", None),
        ("2021-13-04", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read_where_they_are_times(text: str, moment: datetime | None) -> None:
    """As Go, ISO 8601 and people write them."""
    assert moment_of(text) == moment


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b",", b'"', b"\n", b"\r", b";", b"\t", b"\x00", b"<", b">", b"(", b")", b"'=1"),
            *(b"ada@example.org", "ü@bücher.example".encode(), b"\xff\xfe", b'{"keywords": '),
            *(b"=?utf-8?q?x?=", b"=?utf-7?b?+AA?=", b"2021-99-99", b"unsubscribed", b"[A]"),
        ]
    ),
)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(PIECES, max_size=30), head=st.booleans())
def test_any_file_gives_checked_people_or_faults(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], head: bool
) -> None:
    """Never another error, and every row of it stands in some line of the file."""
    content = (b"email,name,state,keywords,attributes\n" if head else b"") + b"".join(pieces)
    path = written(tmp_path_factory.mktemp("any"), content)
    try:
        roster = open_roster(path)
    except ConfigError:
        assert not head
        return
    for row in roster.rows():
        assert 1 <= row.line <= content.count(b"\n") + content.count(b"\r") + 1
        if isinstance(row, Entry):
            assert check_address(row.email) == row.email
            assert row.name.isprintable()
