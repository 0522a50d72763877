"""`digest forecast`: a profile tried on what is stored."""

from __future__ import annotations

import json

from tests.cli.desk import Desk


def test_a_subscriber_and_a_file_give_the_same(desk: Desk) -> None:
    """The address and the TOML of the same settings."""
    desk.run("ingest")
    by_address = desk.run("forecast", "ada@example.org").stdout
    (desk.folder / "ada.toml").write_text(desk.run("subscribers", "show", "ada@example.org").stdout)
    assert desk.run("forecast", "ada.toml").stdout == by_address
    assert "items a day over 1 day with 5 listings" in by_address
    assert "Flash Attention for Long Sequences" in by_address


def test_the_chart_and_the_json(desk: Desk) -> None:
    """`--plot` writes an SVG, `--json` all the counts; a keyword that finds nothing is named."""
    desk.run("ingest")
    (desk.folder / "p.toml").write_text(
        '[[subscribers]]\nemail = "a@example.org"\n[subscribers.keywords]\n"zeolite" = 1\n'
    )
    assert "never matches" in desk.run("forecast", "p.toml", "--plot", "days.svg").stdout
    assert (desk.folder / "days.svg").read_text().startswith("<svg xmlns=")
    made = json.loads(desk.run("forecast", "ada@example.org", "--json", "--days", "7").stdout)
    assert made["days"][0]["considered"] == 5
    assert made["terms"][0]["term"] == "flash attention"


def test_faults_are_one_line(desk: Desk) -> None:
    """Nothing stored, a file of two, a file that is none, an unknown address."""
    said = desk.run("forecast", "ada@example.org", code=1).stderr
    assert "run `digest ingest`" in said
    desk.run("ingest")
    (desk.folder / "two.toml").write_text(
        '[[subscribers]]\nemail = "a@example.org"\n[[subscribers]]\nemail = "b@example.org"\n'
    )
    assert "holds 2 subscribers" in desk.run("forecast", "two.toml", code=2).stderr
    assert "cannot be read" in desk.run("forecast", "none.toml", code=2).stderr
    assert "no subscriber" in desk.run("forecast", "x@example.org", code=1).stderr


def test_so_many_a_day_shows_the_floor_that_brings_them(desk: Desk) -> None:
    """The forecast and the explanation name the floor that was fitted, not the one in the file."""
    desk.run("ingest")
    (desk.folder / "p.toml").write_text(
        '[[subscribers]]\nemail = "a@example.org"\nper_day = 1\nmin_score = 0.99\n'
        '[subscribers.keywords]\n"flash attention" = 1\n'
    )
    said = desk.run("forecast", "p.toml").stdout
    assert "1.0 items a day" in said
    assert "fitted to 1 a day" in said
    floor = json.loads(desk.run("forecast", "p.toml", "--json").stdout)["floor"]
    assert 0 < floor < 0.99
    assert f"floor {floor:.2f}, fitted" in said
