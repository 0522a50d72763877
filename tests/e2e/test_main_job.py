"""The main job, whole: saved pages in, personal mails out, nothing lost and nothing twice."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from digest.config import Config, load_config
from digest.join import join
from digest.matcher import Matcher, Statistics, terms_of
from digest.model import Listing, Match
from digest.tex import readable
from tests.e2e.pages import SEEDS, read_pages, twenty_subscribers, write_pages
from tests.e2e.service import Service, mail_server_thread, message_ids, text_part
from tests.smtp_server import HOLD
from tests.waiting import wait_for

PAGES = [
    "ours",
    pytest.param(
        "seeds",
        marks=pytest.mark.skipif(not SEEDS.is_dir(), reason="the recorded pages are not here"),
    ),
]


def expected(config: Config, folder: Path) -> dict[str, list[Match]]:
    """Per address what the matcher alone would choose from the pages, best first."""
    listings: list[Listing] = join(read_pages(folder), lambda ids: {}).new
    counts = Counter(term for one in listings for term in terms_of(one))
    matcher = Matcher(Statistics(len(listings), counts).blended())  # no archive on the first day
    profiles = [person.profile for person in config.subscribers]
    ranking = matcher.rank(profiles, listings, len(listings))
    chosen = {}
    for person, ranked in zip(config.subscribers, ranking, strict=True):
        passed = [listings[at] for at, score in ranked if score >= person.profile.min_score]
        shown = passed[: person.profile.max_items]
        if shown:
            chosen[person.email] = [matcher.match(person.profile, one) for one in shown]
    return chosen


@pytest.mark.parametrize("kind", PAGES)
def test_twenty_people_get_what_fits_them_and_why(kind: str, tmp_path: Path) -> None:
    """Recipients, items, their order and their reasons are those of the matcher, mail by mail."""
    write_pages(kind, tmp_path)
    with mail_server_thread() as server:
        service = Service(tmp_path, server.port, twenty_subscribers(kind))
        service.run("ingest")
        service.run("send")
        wanted = expected(load_config(tmp_path / "config.toml"), tmp_path)
        assert len(wanted) >= 15
        assert sorted(one.recipients[0] for one in server.taken) == sorted(wanted)
        for mail in server.taken:
            check_mail(text_part(mail.raw), wanted[mail.recipients[0]])
        states = json.loads(service.run("status", "--json"))["deliveries"]
        assert states == {"sent": len(wanted)} | (
            {"empty": 20 - len(wanted)} if len(wanted) < 20 else {}
        )


def check_mail(text: str, matches: list[Match]) -> None:
    """Every item stands in the mail in its order, with its score and its strongest reasons."""
    at = 0
    for match in matches:
        title = " ".join(readable(match.listing.title).split())
        at = text.find(title, at)
        assert at >= 0, f"{title!r} is missing or out of order"
        following = text[at : at + 3000]
        assert f"{match.score:.2f}" in following
        for reason in match.reasons[:2]:
            assert f"{reason.points:+.2f}" in following.replace("−", "-")
            words = re.findall(r"[\w-]+", reason.term.rpartition(":")[2])
            assert all(word in following for word in words)  # the syntax is not shown


@pytest.mark.parametrize("kind", PAGES)
def test_a_second_run_sends_nothing(kind: str, tmp_path: Path) -> None:
    """The same day, and the same pages again the next day, bring nobody a repeated item."""
    write_pages(kind, tmp_path)
    with mail_server_thread() as server:
        service = Service(tmp_path, server.port, twenty_subscribers(kind))
        service.run("ingest")
        service.run("send")
        first = Counter(one.recipients[0] for one in server.taken)
        assert set(first.values()) == {1}
        service.run("ingest")
        service.run("send")
        assert Counter(one.recipients[0] for one in server.taken) == first
        service.now = "2026-11-21T14:00:00+00:00"
        service.run("ingest")
        service.run("send")
    shown: Counter[tuple[str, str]] = Counter()
    with sqlite3.connect(tmp_path / "digest.db") as db:
        for person, listings in db.execute("SELECT subscriber_id, listing_ids FROM deliveries"):
            shown.update((person, one) for one in json.loads(listings))
    db.close()
    assert set(shown.values()) == {1}


@pytest.mark.parametrize("kind", PAGES)
def test_q4_a_kill_loses_nothing_and_repeats_only_what_was_in_flight(
    kind: str, tmp_path: Path
) -> None:
    """SIGKILL after the final dot, before the reply: the restart ends with everyone served."""
    write_pages(kind, tmp_path)
    silent = [True]

    def script(step: str, before: int) -> bytes | None:
        return HOLD if silent[0] and step == "dot" and before >= 4 else None

    with mail_server_thread(script) as server:
        service = Service(tmp_path, server.port, twenty_subscribers(kind), lease_s=2)
        service.run("ingest")
        process = service.start("send")
        wait_for("five mails", lambda: len(server.taken) >= 5)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        silent[0] = False
        time.sleep(2.5)  # until the dead worker's leases have run out
        service.now = "2026-11-20T14:01:00+00:00"
        service.run("send")
        wanted = expected(load_config(tmp_path / "config.toml"), tmp_path)
        mails = Counter(one.recipients[0] for one in server.taken)
    assert set(mails) == set(wanted)
    repeated = [address for address, count in mails.items() if count > 1]
    assert len(repeated) <= 2  # as many as there are connections
    assert max(mails.values()) <= 2
    for address in repeated:
        one, two = (mail.raw for mail in server.taken if mail.recipients == [address])
        assert one == two
    by_person = {mail.recipients[0]: mail.raw for mail in server.taken}
    assert len(set(message_ids(list(by_person.values())))) == len(wanted)


def test_a_mail_server_that_is_down_costs_nothing(tmp_path: Path) -> None:
    """The rows stay, the command says so and ends with 1; the next run sends them."""
    write_pages("ours", tmp_path)
    with mail_server_thread() as server:
        port = server.port
    service = Service(tmp_path, port, twenty_subscribers("ours"))
    service.run("ingest")
    service.run("send", code=1)
    assert "mails wait" in service.stderr
    with mail_server_thread() as server:
        config = (tmp_path / "config.toml").read_text().replace(str(port), str(server.port))
        (tmp_path / "config.toml").write_text(config)
        service.now = "2026-11-20T14:02:00+00:00"
        service.run("send")
        wanted = expected(load_config(tmp_path / "config.toml"), tmp_path)
        assert sorted(one.recipients[0] for one in server.taken) == sorted(wanted)
