"""Everything out: what stands in the files, that none is forgotten, and that people come back."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest import jobs
from digest.app import App
from digest.errors import StoreError
from digest.exporting import export_all, people_table
from digest.model import Origin, Subscriber, SubscriberState, WhenEmpty
from digest.moving import Terms, move_in
from digest.roster import open_roster
from digest.roster.cells import LIVE
from digest.store import Signup, SignupLimits
from digest.store.exporting import LEFT_OUT, PLAIN
from digest.store.personal import Like
from digest.store.returned import Reason
from digest.store.sqlite import SqliteStore
from tests.running import announce, running
from tests.samples import NOW, listing, profile, subscriber

ATTENTION = listing("Flash Attention for Long Sequences", key="arxiv:2606.00467")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A service that has something of everything."""
    with running(tmp_path, subscriber()) as made:
        announce(made, ATTENTION, listing("Rivers"))
        jobs.prepare(made, NOW)
        ada = made.store.subscriber("ada@example.org")
        assert ada
        made.store.like(ada.id, Like(ATTENTION, 1, NOW, "web"))
        made.store.add_api_key(ada.id, "notebook", "fingerprint-of-a-key", NOW)
        asked = Signup(subscriber("bob@example.org"), "form", "192.0.2.0/24", NOW, "hash", "net")
        made.store.sign_up(asked, SignupLimits(9, 9), "example.org", NOW)
        made.store.confirm(1, NOW)
        made.store.suppress("gone@example.org", Reason.BOUNCED, "550 no such user", NOW)
        erased = made.store.put_subscriber(subscriber("erased@example.org"), NOW)
        made.store.erase(erased.id, NOW)
        yield made


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    """The rows of a file."""
    return [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]


def test_everything_stands_in_its_file(app: App) -> None:
    """With the names of the config, and with what each digest showed and why."""
    out = app.folder / "out"
    export_all(app, out, NOW)
    ada, bob = rows(out, "subscribers.jsonl")
    assert (ada["email"], ada["keywords"], ada["origin"]) == (
        "ada@example.org",
        {"flash attention": 2},
        "file",
    )
    (consent,) = rows(out, "consents.jsonl")
    assert (consent["subscriber_id"], consent["form"]) == (bob["id"], "form")
    (sent,) = rows(out, "deliveries.jsonl")
    assert (sent["state"], sent["subscriber_id"], sent["considered"]) == ("queued", ada["id"], 2)
    (match,) = sent["sections"][0]["matches"]
    assert (match["key"], match["reasons"][0]["term"]) == (ATTENTION.key, "flash attention")
    first, _ = rows(out, "listings.jsonl")
    assert (first["listing"]["source"], first["listing"]["title"]) == ("test", ATTENTION.title)
    (like,) = rows(out, "likes.jsonl")
    assert (like["listing_key"], like["value"], like["origin"]) == (ATTENTION.key, 1, "web")
    held = {one["reason"]: one for one in rows(out, "suppressed.jsonl")}
    assert held["bounced"]["note"] == "550 no such user"
    assert held.keys() == {"bounced", "left"}
    assert rows(out, "signups.jsonl")[0]["wanted"]["email"] == "bob@example.org"
    assert rows(out, "source_runs.jsonl")[0]["run"]["read"] == 2


def test_the_manifest_tells_what_is_in_each_file(app: App) -> None:
    """How many rows and bytes, and which: whoever changes one is found out."""
    out = app.folder / "out"
    manifest = export_all(app, out, NOW)
    assert manifest == json.loads((out / "manifest.json").read_text("utf-8"))
    assert {*manifest["files"], "manifest.json"} == {path.name for path in out.iterdir()}
    for name, told in manifest["files"].items():
        octets = (out / name).read_bytes()
        assert told["sha256"] == hashlib.sha256(octets).hexdigest()
        assert told["bytes"] == len(octets)
        assert told["rows"] == len(octets.splitlines()) - name.endswith(".csv")
        assert told["holds"]


def test_no_table_is_forgotten(app: App) -> None:
    """A new table is exported, or it is said why not."""
    with closing(sqlite3.connect(app.folder / "digest.db")) as db:
        tables = {
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
    inner = {name for name in tables if name.startswith("search_")}
    read = {"subscribers", "deliveries"}
    for name in tables - inner - LEFT_OUT.keys():
        if any(f" FROM {name} " in f"{sql} " for _, sql, _ in PLAIN.values()):
            read.add(name)
    assert tables - inner == LEFT_OUT.keys() | read


def test_no_secret_and_nobody_who_erased_their_data_is_in_it(app: App) -> None:
    """Neither the key that signs, nor what proves a program's rights, nor a gone address."""
    out = app.folder / "out"
    export_all(app, out, NOW)
    text = "".join(path.read_text("utf-8") for path in out.iterdir())
    secret = app.config.service.secret_file.read_text().strip()
    for marker in (secret, "fingerprint-of-a-key", "erased@example.org", "gone@example.org"):
        assert marker not in text


def test_the_folder_is_for_its_owner_alone_and_takes_no_others_place(app: App) -> None:
    """Also not that of a link to nowhere; a failure leaves nothing behind."""
    out = app.folder / "out"
    export_all(app, out, NOW)
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    (app.folder / "link").symlink_to(app.folder / "nowhere")
    before = sorted(app.folder.iterdir())
    for name in ("out", "link", "config.toml/out", "nowhere/out"):
        with pytest.raises(StoreError, match=name):
            export_all(app, app.folder / name, NOW)
    assert sorted(app.folder.iterdir()) == before


def test_a_run_that_is_cut_off_leaves_nothing(app: App) -> None:
    """The folder has its name when it is complete."""
    before = sorted(app.folder.iterdir())

    def cut_off(more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_all(app, app.folder / "out", NOW, cut_off)
    assert sorted(app.folder.iterdir()) == before
    app.store.put_subscriber(subscriber("new@example.org"), NOW)  # no transaction was left open


def test_all_of_it_is_of_one_moment(app: App) -> None:
    """What another process writes meanwhile is not in it, in whichever file it would stand."""
    other = SqliteStore(app.folder / "digest.db")
    with app.store.whole() as extracts:
        by_name = {each.name: each for each in extracts}
        next(by_name["subscribers"].rows)
        other.put_subscriber(subscriber("new@example.org"), NOW)
        other.add_listings([listing("Too Late")], [], {}, (), NOW)
        assert "new@example.org" not in {one["email"] for one in by_name["subscribers"].rows}
        assert len(list(by_name["listings"].rows)) == 2
        assert len(list(app.store.people())) == 2
    other.close_store()
    assert len(list(app.store.people())) == 3


@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_read_is_not_lost(app: App) -> None:
    """A damaged row stands in its file as it is kept, and the others as ever."""
    with app.store.writing() as db:  # type: ignore[attr-defined]
        db.execute("UPDATE subscribers SET profile = 'torn' WHERE email = 'ada@example.org'")
        db.execute("UPDATE bodies SET body = 'torn'")
        db.execute("UPDATE likes SET body = 'torn'")
    out = app.folder / "out"
    export_all(app, out, NOW)
    ada, bob = rows(out, "subscribers.jsonl")
    assert "torn" in ada["unreadable"]
    assert bob["email"] == "bob@example.org"
    assert rows(out, "deliveries.jsonl")[0]["unreadable"] == "torn"
    assert rows(out, "likes.jsonl")[0]["listing"] == "torn"
    assert len(list(csv.reader((out / "subscribers.csv").open(encoding="utf-8")))) == 2


PEOPLE = (
    subscriber("ada@example.org", name="Ada"),
    subscriber(
        "=cmd@example.org",
        name="=HYPERLINK(1)",
        timezone="Asia/Tokyo",
        days=("mon", "sun"),
        profile=profile(
            keywords={"flash attention": 2.5, "title:survey": -1.0, '"Flash Attention"': 100.0},
            authors=("Noether, Emmy", "Kurt Gödel"),
            organizations=("Google DeepMind",),
            exclude=("medical imaging", "category:cs.CR"),
            min_score=0.0,
            max_items=100,
            per_day=8,
            trending=3,
            when_empty=WhenEmpty.NEAREST,
            related=False,
            learn=True,
        ),
    ),
    subscriber("'+o'hara@example.org", name="'quoted', \"twice\"; and more", profile=profile(
        keywords={"a+b": 1.0, "quantiz*": 1.0, "x=y": 2.0}
    )),
    subscriber("paused@example.org", state=SubscriberState.PAUSED),
)  # fmt: skip


def as_people(app: App) -> dict[str, Subscriber]:
    """The subscribers of the store by their address, without what another store gives them."""
    return {one.email: replace(one, id=0, origin=Origin.STORE) for one in app.store.subscribers()}


def test_people_of_the_table_come_back_the_same(tmp_path: Path) -> None:
    """In an empty service: settings, pauses and proofs, and nobody who left or was suppressed."""
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    table = tmp_path / "people.csv"
    later = NOW + timedelta(days=5)
    with running(there) as app:
        for one in PEOPLE:
            app.store.put_subscriber(replace(one, origin=Origin.STORE), NOW)
        paused = app.store.subscriber("paused@example.org")
        assert paused
        app.store.pause(paused.id, later, NOW)
        asked = Signup(subscriber("bob@example.org"), "2026-11", "192.0.2.0/24", NOW, "hash", "n")
        app.store.sign_up(asked, SignupLimits(9, 9), "example.org", NOW)
        app.store.confirm(1, NOW)
        before = as_people(app)
        for email, reason in (("b@example.org", Reason.BOUNCED), ("c@example.org", Reason.BLOCKED)):
            app.store.put_subscriber(subscriber(email), NOW)
            app.store.suppress(email, reason, "", NOW)
        left = app.store.put_subscriber(subscriber("left@example.org"), NOW)
        app.store.set_state(left.id, SubscriberState.UNSUBSCRIBED, NOW)
        table.write_text("".join(people_table(app)), "utf-8", newline="")
    with running(here) as app:
        tally = move_in(app, open_roster(table), Terms(consent="the old service"), NOW)
        assert (tally.faults, sum(tally.landed.values())) == ([], 8)
        assert as_people(app) == before
        paused = app.store.subscriber("paused@example.org")
        bob = app.store.subscriber("bob@example.org")
        assert paused
        assert bob
        assert app.store.paused_until(paused.id) == later
        (proof,) = app.store.consents(bob.id)
        assert (proof["form"], proof["confirmed_at"]) == (
            "import: 2026-11",
            NOW.isoformat(timespec="microseconds"),
        )
        held = {
            email: app.store.suppression(f"{email}@example.org") for email in ("b", "c", "left")
        }
        assert {email: one and one.reason for email, one in held.items()} == {
            "b": Reason.BOUNCED,
            "c": Reason.BLOCKED,
            "left": Reason.LEFT,
        }


def test_x11_the_exported_table_holds_no_formula(tmp_path: Path) -> None:
    """Not one cell begins like one, whatever people have written."""
    with running(tmp_path) as app:
        for one in PEOPLE:
            app.store.put_subscriber(one, NOW)
        export_all(app, tmp_path / "out", NOW)
    with (tmp_path / "out" / "subscribers.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(LIVE)]
    assert "'=HYPERLINK(1)" in cells
