"""`digest ingest` by hand: one source, a rehearsal, the past, and its exit codes."""

from __future__ import annotations

from tests.cli.desk import ADA, Desk

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
    """Files have none, and a day to come is no past; both are told in a line."""
    told = desk.run("ingest", "--since", "2026-11-01", code=1).stderr
    assert "Papers: its files are read whole each time; --since leaves it out" in told
    assert "Error: none of these sources can be asked for its past" in told
    assert "has not come yet" in desk.refused("ingest", "--since", "2026-12-01", code=1)
    assert "--since" in desk.refused("ingest", "--since", "last week", code=2)
