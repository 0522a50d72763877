"""`digest ingest` by hand: one source, a rehearsal, the past, and its exit codes."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.desk import ADA, Desk, at
from tests.cli.web_site import web_site

LOST = """
[[sources]]
name = "Lost"
kind = "jsonl"
path = "lost.jsonl"
[[sources]]
name = "Daily"
kind = "huggingface"
"""


def test_a_rehearsed_reading_leaves_nothing(desk: Desk) -> None:
    """It reports what came and says that nothing was kept; the next reading finds it new."""
    result = desk.run("ingest", "--dry-run")
    assert result.stdout.splitlines()[1].split()[:4] == ["Papers", "5", "5", "0"]
    assert result.stderr == "nothing was stored\n"
    assert desk.json("status")["sources"][0]["last_run_at"] is None
    assert desk.run("ingest").stdout.splitlines()[1].split()[:4] == ["Papers", "5", "5", "0"]


def test_one_that_failed_is_an_error_and_one_that_is_empty_is_none(desk: Desk) -> None:
    """The code is 1 for a file that is missing, 0 where nothing is new."""
    desk.write_config(ADA + LOST)
    assert "'Lost'" in desk.refused("ingest", "--source", "Lost", "--source", "Papers", code=1)
    desk.run("ingest", "--source", "Papers")


def test_the_past_is_asked_of_those_who_have_one(desk: Desk) -> None:
    """Files have none; that is told in a line."""
    told = desk.run("ingest", "--since", "2026-11-01", code=1).stderr
    assert "Papers: its files are read whole each time; --since leaves it out" in told
    assert "Error: none of these sources can be asked for its past" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--source", "paper"), "no source is named 'paper'; did you mean 'Papers'?"),
        (("--source", "ARXIV"), "no source is named 'ARXIV'; there are 'Papers', 'Lost', 'Daily'"),
        (("--since", "2026-12-01"), "2026-12-01 has not come yet; today is 2026-11-20"),
        (
            ("--since", "last week"),
            "'last week' is no day of the calendar; write one as 2026-10-01",
        ),
        (("--since", "2026-02-30"), "'2026-02-30' is no day of the calendar"),
    ],
)
def test_a_wrong_name_or_day_is_wrong_usage(
    desk: Desk, arguments: tuple[str, str], told: str
) -> None:
    """The code is 2, the option is named with the nearest right value, and nothing is read."""
    desk.write_config(ADA + LOST)
    said = desk.refused("ingest", *arguments, code=2)
    assert told in said
    assert f"'{arguments[0]}'" in said
    assert desk.json("status")["sources"][0]["state"] == "never read"


# --- the account ------------------------------------------------------------------------------


def _feed(items: str) -> str:
    return f"<rss><channel>{items}</channel></rss>"


def _on_the_web(desk: Desk, host: str, kind: str = "feed", name: str = "feed.xml") -> None:
    """Let the desk read one source of a local web site."""
    own = f'allowed_hosts = ["{host}"]\n\n[mail]\n'
    papers = 'name = "Papers"\nkind = "jsonl"\npath = "papers.jsonl"\n'
    source = f'name = "Journal"\nkind = "{kind}"\nurl = "http://{host}/{name}"\n'
    desk.write_config(ADA, {"[mail]\n": own, papers: source})


def _row(table: str) -> dict[str, str]:
    """The first row of a table under its titles."""
    titles, row = table.splitlines()[:2]
    return dict(zip(re.split(r"  +", titles), re.split(r"  +", row.strip()), strict=True))


def test_json_table_and_rehearsal_say_one_word(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A feed that has brought nothing for months is silent wherever its state is told."""
    feed = _feed("<item><title>On Looms</title><pubDate>2026-11-19</pubDate></item>")
    with web_site({"/feed.xml": feed}) as host:
        _on_the_web(desk, host)
        desk.run("ingest")
        at(monkeypatch, "2027-02-20T14:00:00+00:00")
        for arguments in (("--dry-run",), ()):
            table = desk.run("ingest", *arguments).stdout
            assert _row(table)["state"] == "silent"
            assert "Journal has brought nothing since 20 November 2026" in table
            (told,) = desk.json("ingest", *arguments)
            assert (told["state"], told["known_already"]) == ("silent", 1)
            assert told["says"] in table
        (status,) = desk.json("status")["sources"]
        assert (status["state"], status["says"]) == ("silent", told["says"])
        assert told.keys() <= status.keys()


def test_each_reason_for_keeping_out_has_its_count(desk: Desk) -> None:
    """Old, revised, and undated beyond fifty are three; what there is none of has no column."""
    rows = [{"title": f"Undated {n}", "id": f"u{n}"} for n in range(53)]
    rows += [{"title": "Old", "id": "o", "published_at": "2026-01-01"}]
    rows += [
        {"title": f"Revised {n}", "id": f"r{n}", "published_at": "2026-11-20", "announce": kind}
        for n, kind in enumerate(("replace", "replace-cross", "cross"))
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    (desk.folder / "papers.jsonl").write_text(text, "utf-8")
    desk.write_config(ADA, {'path = "papers.jsonl"': 'path = "papers.jsonl"\nmax_age_days = 7'})
    wanted = {"new": 57, "too_old": 1, "revised": 2, "undated": 3}
    (rehearsed,) = desk.json("ingest", "--dry-run")
    assert {name: rehearsed[name] for name in wanted} == wanted
    row = _row(desk.run("ingest").stdout)
    assert [row[name] for name in ("new", "too old", "revised", "undated")] == ["57", "1", "2", "3"]
    assert "revised" not in _row(desk.run("ingest").stdout)
    (status,) = desk.json("status")["sources"]
    assert {name: status[name] for name in wanted} == wanted


def test_a_list_of_feeds_announces_no_items(desk: Desk) -> None:
    """How many feeds it names is not how many items there should be."""
    pages: dict[str, str] = {}
    with web_site(pages) as host:
        for n in range(2):
            items = "".join(f"<item><title>On {part} {n}</title></item>" for part in "abc")
            pages[f"/{n}.xml"] = _feed(items)
        outlines = "".join(f"<outline text='F{n}' xmlUrl='http://{host}/{n}.xml'/>" for n in (0, 1))
        pages["/feeds.opml"] = f"<opml>{outlines}</opml>"
        _on_the_web(desk, host, "opml", "feeds.opml")
        (told,) = desk.json("ingest")
    assert (told["error"], told["read"], told["announced"]) == ("", 6, None)
    assert told["says"] == "Journal brought 6."
