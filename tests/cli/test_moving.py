"""`subscribers import` as a person uses it: what it prints, what it ends with, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.desk import Desk

PEOPLE = """\
email,name,state,keywords,shoe size,keywrods
mary@example.org,Mary,,rivers=2,39,
olga@example.org,Olga,unconfirmed,lakes,39,
kurt@example.org,Kurt,unsubscribed,,39,
ada@example.org,Ada,,rivers,39,
emmy@example.org,Emmy,complained,,39,
anna@example.org,Anna,,rivers=two,39,
MARY@example.org,Mary,,rivers,39,
"""

AGREED = ("--confirmed", "sign-up sheet, May 2026")


@pytest.fixture
def people() -> str:
    """A table in the folder of the desk."""
    Path("people.csv").write_text(PEOPLE)
    return "people.csv"


def test_a_table_is_imported_and_accounted_for(desk: Desk, people: str) -> None:
    """Each row has its line in the table, what is wrong is told, and the exit code says so."""
    done = desk.run("subscribers", "import", people, *AGREED, code=1)
    assert done.stdout.splitlines() == [
        "people.csv: a table, UTF-8",
        "rows  they are",
        "   1  added",
        "   1  asked by a letter whether they want it",
        "   1  here already, nothing changed",
        "   1  gone there: get no mail here either",
        "   1  gone there: no mail any more",
        "   1  the same address again",
        "   1  not usable",
    ]
    assert done.stderr.splitlines() == [
        'line 7: keywords "rivers": a weight is a number from -100 to 100 and not 0, not "two"',
        "emmy@example.org was mailed here and has left there: no mail any more",
        'column "keywrods" is not used; did you mean "keywords"?',
        "columns not used: shoe size",
        "`digest serve` sends the letters; their links work for 48 hours",
    ]
    states = {one["email"]: one["state"] for one in desk.json("subscribers", "list")}
    assert states == {
        "ada@example.org": "active",
        "emmy@example.org": "unsubscribed",
        "mary@example.org": "active",
    }


def test_a_second_import_changes_nothing(desk: Desk, people: str) -> None:
    """Every count is one of people who are known; who is suppressed is told with the reason."""
    desk.run("subscribers", "import", people, *AGREED, code=1)
    before = desk.json("subscribers", "list")
    done = desk.json("subscribers", "import", people, *AGREED, code=1)
    assert {name: number for name, number in done["counts"].items() if number} == {
        "here": 2,
        "waiting": 1,
        "stopped_before": 2,
        "repeated": 1,
        "invalid": 1,
    }
    assert desk.json("subscribers", "list") == before
    Path("again.csv").write_text("email\nkurt@example.org\nemmy@example.org\n")
    done = desk.run("subscribers", "import", "again.csv", "--profile", "ada@example.org", *AGREED)
    assert "1  suppressed here, and stay so: they have left" in done.stdout
    assert "1  unsubscribed here, and stay so" in done.stdout


def test_a_dry_run_changes_nothing(desk: Desk, people: str) -> None:
    """Neither of a table nor of TOML."""
    before = desk.json("subscribers", "list")
    done = desk.run("subscribers", "import", people, "--dry-run", code=1)
    assert "dry run: they would be" in done.stdout
    Path("people.toml").write_text('[[subscribers]]\nemail = "x@example.org"\n')
    done = desk.run("subscribers", "import", "people.toml", "--dry-run")
    assert done.stdout == "would import 1 subscriber\n"
    assert desk.json("subscribers", "import", "people.toml", "--dry-run")["counts"]["added"] == 1
    assert desk.json("subscribers", "list") == before
    assert desk.run("suppressed", "list").stderr == "no address is suppressed\n"


def test_a_list_without_profiles_takes_one(desk: Desk) -> None:
    """From a subscriber or from a file; without either the line shows how."""
    Path("members.txt").write_text("Mary <mary@example.org>\n")
    said = desk.refused("subscribers", "import", "members.txt", code=2)
    assert "`digest subscribers import members.txt --profile PROFILE`" in said
    done = desk.run("subscribers", "import", "members.txt", "--profile", "ada@example.org", *AGREED)
    assert done.stdout.startswith("members.txt: a list of Mailman's, UTF-8\n")
    assert '"flash attention" = 2' in desk.run("subscribers", "show", "mary@example.org").stdout
    said = desk.refused("subscribers", "import", "members.txt", "--profile", "no.toml", code=2)
    assert "no.toml cannot be read" in said


def test_an_export_of_listmonk_that_keeps_something_back_is_told(desk: Desk) -> None:
    """Who unsubscribed from a list does not stand in it."""
    Path("listmonk.csv").write_text(
        "uuid,email,name,attributes,status\n"
        '1,m@example.org,M,"{""keywords"": ""rivers""}",enabled\n'
    )
    done = desk.run("subscribers", "import", "listmonk.csv", *AGREED)
    assert "listmonk's export" in done.stdout
    assert "listmonk leaves out" in done.stderr


def test_many_faults_are_counted(desk: Desk) -> None:
    """The first twenty are told, the others are in the JSON."""
    Path("people.csv").write_text("email,keywords\n" + "nobody,x\n" * 50)
    done = desk.run("subscribers", "import", "people.csv", code=1)
    assert done.stderr.count("line ") == 20
    assert "and 30 more rows not usable" in done.stderr
    assert len(desk.json("subscribers", "import", "people.csv", code=1)["invalid"]) == 50


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("people.csv", "--confirmed", "  "), "says where and when"),
        (("people.toml", "--gone"), "go with csv, listmonk and mailman"),
        (("people.toml", "--confirmed", "x"), "go with csv, listmonk and mailman"),
        (("people.csv", "--format", "excel"), "'toml', 'csv', 'listmonk', 'mailman'"),
    ],
)
def test_options_that_do_not_fit_are_refused(desk: Desk, words: tuple[str, ...], told: str) -> None:
    """As wrong usage, with what would do."""
    Path("people.toml").write_text('[[subscribers]]\nemail = "x@example.org"\n')
    assert told in desk.run("subscribers", "import", *words, code=2).stderr


def test_an_address_of_a_table_cannot_steer_a_terminal(desk: Desk) -> None:
    """Control characters of a row come out as blanks."""
    Path("people.csv").write_text('email,keywords,\x1b[2J\n"\x1b[31mred@example.org",x,\n')
    done = desk.run("subscribers", "import", "people.csv", code=1)
    assert "\x1b" not in done.output


def test_the_table_of_everybody_goes_out_and_comes_back(desk: Desk, people: str) -> None:
    """By the name of the file, or by the option to standard output."""
    desk.run("subscribers", "import", people, *AGREED, code=1)
    said = desk.run("subscribers", "export", "all.csv")
    assert said.stdout == "wrote 3 subscribers to all.csv\n"
    text = Path("all.csv").read_text("utf-8")
    assert desk.run("subscribers", "export", "--format", "csv").stdout == text
    assert "emmy@example.org,,unsubscribed,complained," in text
    desk.write_config("")
    said = desk.run("subscribers", "import", "all.csv", *AGREED)  # Ada left with the config
    assert said.stdout.splitlines()[2:] == [
        "   1  added",
        "   1  here already, nothing changed",
        "   1  gone there, and known to be",
    ]


@pytest.mark.parametrize("name", ["all.csv", "all.toml"])
def test_an_export_is_its_owners_alone_and_overwrites_nothing(desk: Desk, name: str) -> None:
    """Unless it is told to."""
    desk.run("subscribers", "export", name)
    assert Path(name).stat().st_mode & 0o777 == 0o600
    Path(name).write_text("mine")
    assert "--force replaces it" in desk.refused("subscribers", "export", name, code=1)
    assert Path(name).read_text() == "mine"
    desk.run("subscribers", "export", "--force", name)
    assert "ada@example.org" in Path(name).read_text()


def test_a_list_replaces_no_database_and_needs_a_name(desk: Desk) -> None:
    """A slip in the name costs nothing, whatever the word."""
    desk.run("ingest")
    said = desk.refused("subscribers", "export", "--force", "digest.db", code=1)
    assert "is a database, which a list does not replace" in said
    assert desk.run("subscribers", "list").stdout
    for command in (("subscribers", "export"), ("backup",)):
        assert "is no file; name one" in desk.refused(*command, "", code=1)


def test_everything_goes_out_into_a_new_folder(desk: Desk) -> None:
    """The table tells the files; a name that is taken is refused."""
    desk.run("ingest")
    done = desk.run("export", "out")
    assert "\nlistings.jsonl            5  what the sources announced" in done.stdout
    assert done.stdout.endswith("wrote out/, for you alone: it holds addresses\n")
    assert "out: is there already" in desk.refused("export", "out", code=1)
    manifest = desk.json("export", "again")
    assert manifest["files"]["subscribers.jsonl"]["rows"] == 2
