"""Bounces by pipe, and the list of suppressed addresses, as an operator sees them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from digest.app import open_app
from digest.config import load_config
from digest.store.returned import Reason
from tests.bounces.mails import delivery_report, feedback, group, returned
from tests.cli.desk import ADA, NOW, Desk
from tests.running import delivery_of

AT = datetime.fromisoformat(NOW)
WHO = "ada@example.org"
MARY = '[[subscribers]]\nemail = "mary@example.org"\n[subscribers.keywords]\n"attention" = 1\n'


@pytest.fixture
def mailed(desk: Desk) -> Desk:
    """A desk with a bounce domain whose subscriber has a digest of today."""
    desk.write_config(ADA, {"[smtp]": 'bounce_domain = "bounces.example.org"\n\n[smtp]'})
    desk.run("ingest")
    desk.run("send", code=1)  # the relay is not there, but the rows are
    return desk


def path_of(desk: Desk) -> tuple[str, str]:
    """The address that bounces of the digest go to, and its Message-ID."""
    with open_app(load_config(desk.folder / "config.toml"), AT) as app:
        row = delivery_of(app, WHO, AT)
        return app.return_path("d", row.id, row.message_id), row.message_id


def bounce(desk: Desk, *words: str, code: int = 0, **fields: str) -> str:
    """What `digest bounce` says of a report on the digest."""
    raw = delivery_report(group(WHO, **fields), to=path_of(desk)[0])
    return desk.run("bounce", *words, code=code, answers=raw.decode()).output


def test_n3_a_bounce_by_pipe_suppresses_and_show_says_why(mailed: Desk) -> None:
    """One line for who tries it by hand; then list and show have it, and a bounce lifts."""
    assert bounce(mailed) == f"a bounce (hard): {WHO} is suppressed\n"
    assert "was told before" in bounce(mailed)
    shown = mailed.run("subscribers", "show", WHO).stdout
    assert shown.startswith("# suppressed since 2026-11-20 ")  # the clock runs on
    assert " UTC: the address does not exist (5.1.1)" in shown
    assert f"`digest suppressed remove {WHO}` lifts it" in shown
    (row,) = mailed.json("suppressed", "list")
    assert (row["address"], row["reason"]) == (WHO, "bounced")
    assert "the address does not exist" in mailed.run("suppressed", "list").stdout
    said = mailed.run("suppressed", "remove", WHO).stdout
    assert said == f"{WHO} is no longer suppressed; it is active\n"
    assert "is not suppressed" in mailed.refused("suppressed", "remove", WHO, code=1)


def test_n1_the_mail_server_may_tell_the_recipient(mailed: Desk) -> None:
    """Some pipes lose the header in which the token stands."""
    raw = delivery_report(group(WHO), to="undisclosed@example.org").decode()
    assert "nothing follows" in mailed.run("bounce", answers=raw).output
    path, _ = path_of(mailed)
    assert "is suppressed" in mailed.run("bounce", "--recipient", path, answers=raw).output


@pytest.mark.parametrize("raw", ["", "\x00", "From: ada@example.org\n\nHello.\n"])
def test_n5_what_asks_for_nothing_ends_well(mailed: Desk, raw: str) -> None:
    """The mail server is told that it is done, or it would bounce a bounce."""
    assert "nothing follows" in mailed.run("bounce", answers=raw).output


def test_n6_a_service_in_trouble_asks_the_mail_server_to_come_again(desk: Desk) -> None:
    """75 keeps the mail: for a broken config as well as for a database that cannot be used."""
    (desk.folder / "config.toml").write_text("[mail")
    assert desk.run("bounce", code=75, answers="x").stderr.startswith("Error: ")
    desk.write_config(ADA)
    (desk.folder / "digest.db").write_bytes(b"no database" * 1000)
    assert desk.run("bounce", code=75, answers="x").stderr.startswith("Error: ")
    desk.run("bounce", "--config", "nowhere.toml", code=75, answers="x")


@pytest.mark.parametrize("words", [["--recipeint", "a@example.org"], ["--config", "."], ["more"]])
def test_n6_a_line_written_wrongly_loses_no_mail(desk: Desk, words: list[str]) -> None:
    """A slip in the mail server's own file is told, and the mail is kept."""
    desk.write_config(ADA)
    assert "Error: " in desk.run("bounce", *words, code=75, answers="x").stderr


def test_n8_a_suppressed_address_is_not_added_or_imported(desk: Desk, tmp_path: Path) -> None:
    """The operator is told why and what would help; the others of a file come in."""
    desk.run("suppressed", "add", "mary@example.org", "--note", "asked by bo@example.org by phone")
    told = desk.refused("subscribers", "add", "Mary@example.org", "-k", "rivers", code=1)
    assert "you have blocked it (asked by … by phone)" in told
    assert "`digest suppressed remove Mary@example.org` lifts it" in told
    people = MARY + MARY.replace("mary", "bo")
    (tmp_path / "people.toml").write_text(people)
    said = desk.run("subscribers", "import", "people.toml")
    assert said.stdout == "imported 1 subscriber\n"
    assert said.stderr.startswith("left out mary@example.org: suppressed since")
    assert "is no subscriber; suppressed since" in desk.refused(
        "subscribers", "show", "mary@example.org", code=1
    )
    assert "it is no subscriber" in desk.run("suppressed", "remove", "mary@example.org").stdout
    desk.run("subscribers", "import", "people.toml")
    assert desk.run("subscribers", "show", "mary@example.org").stdout.startswith("# active")


def test_n8_the_config_file_revives_nobody(mailed: Desk) -> None:
    """Taken out of the file and put in again, the address stays suppressed."""
    bounce(mailed)
    with_ada = (mailed.folder / "config.toml").read_text()
    (mailed.folder / "config.toml").write_text(with_ada.replace(ADA, ""))
    mailed.run("subscribers", "list")
    (mailed.folder / "config.toml").write_text(with_ada)
    mailed.run("subscribers", "list")
    assert "# removed" in mailed.run("subscribers", "show", WHO).stdout
    mailed.run("suppressed", "remove", WHO)
    assert "# active" in mailed.run("subscribers", "show", WHO).stdout


def test_u8_after_an_erasure_an_import_adds_nobody(desk: Desk) -> None:
    """What once brought back who had erased their data; the operator cannot lift it either."""
    desk.run("subscribers", "add", "mary@example.org", "-k", "rivers")
    with open_app(load_config(desk.folder / "config.toml"), AT) as app:
        one = app.store.subscriber("mary@example.org")
        assert one
        app.store.erase(one.id, AT)
    told = desk.refused("subscribers", "add", "mary@example.org", "-k", "rivers", code=1)
    assert "only their own confirmed sign-up brings them back" in told
    assert "has left" in desk.refused("suppressed", "remove", "mary@example.org", code=1)
    (row,) = desk.json("suppressed", "list")
    assert (row["address"], row["reason"]) == (None, Reason.LEFT)
    assert "(hash " in desk.run("suppressed", "list").stdout


def test_n8_a_complaint_is_lifted_in_two_steps(mailed: Desk) -> None:
    """The operator allows it, the person confirms it."""
    raw = feedback("abuse", back=returned(message_id=path_of(mailed)[1])).decode()
    assert "(complaint)" in mailed.run("bounce", answers=raw).output
    assert "# unsubscribed" in mailed.run("subscribers", "show", WHO).stdout
    assert "may sign up again" in mailed.run("suppressed", "remove", WHO).stdout
    assert "has left" in mailed.refused("suppressed", "remove", WHO, code=1)


def test_a_wrong_address_is_named(desk: Desk) -> None:
    """The list holds addresses, not words."""
    assert "is no mail address" in desk.refused("suppressed", "add", "mary", code=2)
    assert desk.run("suppressed", "list").stderr == "no address is suppressed\n"
