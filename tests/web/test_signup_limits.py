"""The limits of signing up: nobody is flooded, and nobody learns who is known."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from digest.model import Origin, SubscriberState
from digest.tokens import FORM
from tests.samples import subscriber
from tests.web.running import Running, fields_of, running_site
from tests.web.signups import CHECK, ask, fields, gathered, letters


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    """A site that lets through as many as a test wants."""
    with running_site(tmp_path, web="signups_per_network = 10000\nsignups_per_hour = 10000") as one:
        yield one


def test_o4_a_thousand_forms_for_one_address_bring_one_letter(site: Running) -> None:
    """However often and from wherever an address is typed in: one letter a day, three a month."""
    with site.client() as client:
        for at in range(60):
            email = "ada@example.org" if at % 2 else "ada@EXAMPLE.org"
            client.post("/subscribe", data=fields(site, email))
    assert len(letters(site)) == 1
    sent = 1
    for _ in range(28):
        site.pass_time(days=1)
        ask(site)
        sent += len(letters(site))
    assert sent == 3
    site.pass_time(days=31)
    ask(site)
    assert len(letters(site)) == 1


def test_o4_forms_sent_at_the_same_time_bring_one_letter(site: Running) -> None:
    """Thirty at once, from several threads: one row and one letter."""
    filled = fields(site)

    def post(_: int) -> int:
        with site.client() as client:
            return client.post("/subscribe", data=filled).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(post, range(30))) == {200}
    assert len(letters(site)) == 1


def test_o4_one_network_has_its_limit(tmp_path: Path) -> None:
    """Many addresses from one network: so many letters and no more, and the visitor is told."""
    with running_site(tmp_path, web="signups_per_network = 3") as site:
        answers = [ask(site, f"reader{at}@example.org") for at in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 3
        assert len(letters(site)) == 3
        assert "Too many tries" in answers[-1].text
        site.pass_time(days=1, seconds=10)
        assert ask(site, "later@example.org").status_code == 200


def test_o4_everybody_together_has_a_limit(tmp_path: Path) -> None:
    """The hour's total holds whatever the networks; a known address counts as any other."""
    with running_site(tmp_path, web="signups_per_hour = 2") as site:
        answers = [ask(site).status_code for _ in range(3)]
        assert answers == [200, 200, 429]
        site.pass_time(hours=1)
        assert ask(site).status_code == 200


@pytest.mark.parametrize(("web", "counted"), [("", 1), ('trusted_proxies = ["127.0.0.1"]', 5)])
def test_t7_a_visitor_cannot_say_who_they_are(tmp_path: Path, web: str, counted: int) -> None:
    """X-Forwarded-For makes five networks of one only where the proxy is known."""
    with running_site(tmp_path, web=web) as site:
        for at in range(5):
            with site.browser(**{"x-forwarded-for": f"203.0.113.{at}"}) as browser:
                browser.post("/subscribe", data=fields(site, f"reader{at}@example.org"))
        with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
            networks = db.execute("SELECT count(DISTINCT network) FROM tries").fetchone()
            kept = str(db.execute("SELECT * FROM tries").fetchall())
            proof = {row[0] for row in db.execute("SELECT client FROM signups")}
    assert networks == (counted,)
    assert "203.0.113" not in kept
    assert proof == ({"203.0.113.0/24"} if web else {"127.0.0.0/24"})


def test_o4_the_field_that_nobody_sees(site: Running) -> None:
    """A program that fills it in gets the usual answer and no letter."""
    answer = ask(site, website="https://evil.example")
    assert CHECK in answer.text
    assert not letters(site)


@pytest.mark.parametrize("stamp", ["", "made up", "quick", "old"])
def test_o4_a_form_that_came_too_soon_or_too_late(site: Running, stamp: str) -> None:
    """Without a fresh stamp nothing is kept; the form comes back filled in, to be sent again."""
    issued = {"quick": site.now, "old": site.now.replace(day=1)}
    token = site.app.tokens.issue(FORM, 0, issued[stamp]) if stamp in issued else stamp
    filled = fields(site) | {"stamp": token}
    if stamp == "quick":
        site.pass_time(seconds=-4)
    with site.browser() as browser:
        answer = browser.post("/subscribe", data=filled)
        assert answer.status_code == 422
        assert not letters(site)
        assert dict(fields_of(answer.text))["email"] == "ada@example.org"
        site.pass_time(seconds=5)
        assert CHECK in browser.post("/subscribe", data=gathered(fields_of(answer.text))).text
    assert len(letters(site)) == 1


def test_o5_every_address_gets_the_same_answer(site: Running) -> None:
    """New, subscribed, pending, unsubscribed and hopeless addresses: the same bytes and status."""
    store, kinds = site.app.store, {}
    for state in SubscriberState:
        one = subscriber(f"{state}@example.org", origin=Origin.STORE, state=state)
        store.set_state(store.put_subscriber(one, site.now).id, state, site.now)
        kinds[state.value] = one.email
    ask(site, "asked@example.org")
    kinds |= {"asked": "asked@example.org", "new": "new@example.org", "gone": "a@none.invalid"}
    answers = {name: ask(site, email) for name, email in kinds.items()}
    assert {(a.status_code, a.content) for a in answers.values()} == {(200, answers["new"].content)}
    headers = [{k: v for k, v in a.headers.items() if k != "date"} for a in answers.values()]
    assert all(one == headers[0] for one in headers)


def test_o5_every_address_takes_the_same_time(site: Running) -> None:
    """A known and an unknown address take as long, within the noise."""
    site.app.store.put_subscriber(subscriber(origin=Origin.STORE), site.now)
    took: dict[str, list[float]] = {"known": [], "new": []}
    with site.client() as client:
        for at in range(100):
            for kind, email in (("known", "ada@example.org"), ("new", f"new{at}@example.org")):
                filled = fields(site, email)
                start = time.perf_counter()
                assert client.post("/subscribe", data=filled).status_code == 200
                took[kind].append(time.perf_counter() - start)
    known, new = (statistics.median(times) for times in took.values())
    assert abs(known - new) < 0.5 * max(known, new)
