"""Leaving: by the button, by a mail program, with old mails and old keys."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from digest.model import DeliveryState, Origin, Subscriber, SubscriberState
from digest.tokens import CONFIRM, FORM, MANAGE, SESSION, Tokens
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim
from tests.web.running import Running, running_site

FULL_DISK = """
CREATE TRIGGER full BEFORE UPDATE ON subscribers
BEGIN SELECT raise(FAIL, 'secret place: the disk is full'); END
"""
ONE_CLICK = "List-Unsubscribe=One-Click"


def reader(site: Running, email: str = "ada@example.org") -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(email, origin=Origin.STORE), NOW)


def link(site: Running, one: Subscriber) -> str:
    """The path of the unsubscribe link in their mails."""
    url = site.app.tokens.links(site.app.frame.base_url, one.id, NOW).unsubscribe
    return url.removeprefix("http://localhost")


def state(site: Running, email: str = "ada@example.org") -> SubscriberState:
    """Where a subscriber stands."""
    found = site.app.store.subscriber(email)
    assert found
    return found.state


@pytest.mark.parametrize("kind", ["urlencoded", "multipart", "nothing said"])
def test_u1_one_click_works_with_a_bare_client(site: Running, kind: str) -> None:
    """A POST without cookie, Origin or any header of a browser unsubscribes at once, with 200."""
    path = link(site, reader(site))
    with site.client() as client:
        match kind:
            case "urlencoded":
                answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
            case "multipart":
                answer = client.post(path, files={"List-Unsubscribe": (None, "One-Click")})
            case _:
                answer = client.post(path, content=ONE_CLICK)
    assert answer.status_code == 200
    assert not answer.cookies
    assert state(site) is SubscriberState.UNSUBSCRIBED


def test_u1_one_click_works_from_another_site(site: Running) -> None:
    """A webmail's own page may send the POST: no Origin and no cookie is asked for."""
    path = link(site, reader(site))
    with site.client(
        **{"origin": "https://mail.example", "sec-fetch-site": "cross-site"}
    ) as client:
        assert client.post(path, content=ONE_CLICK).status_code == 200
    assert state(site) is SubscriberState.UNSUBSCRIBED


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_u2_looking_changes_nothing(site: Running, method: str) -> None:
    """A scanner that fetches the link twice leaves the reader subscribed; the page has a button."""
    path = link(site, reader(site))
    with site.client() as client:
        answers = [client.request(method, path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert state(site) is SubscriberState.ACTIVE
    if method == "GET":
        assert answers[0].text.count("<button") == 1
        assert "<script" not in answers[0].text
        assert "http-equiv" not in answers[0].text


def test_u3_the_link_of_an_old_mail_works_after_a_new_key(tmp_path: Path) -> None:
    """A token of years ago under a key that no longer signs, and after a restart."""
    (tmp_path / "secret.key").write_text("an-old-key-that-was-long-enough\n")
    (tmp_path / "secret.key").chmod(0o600)
    with running_site(tmp_path) as site:
        path = link(site, reader(site))
    old = (tmp_path / "secret.key").read_text()
    (tmp_path / "secret.key").write_text("the-new-key-that-is-long-enough\n" + old)
    with running_site(tmp_path) as site:
        site.pass_time(days=1000)
        with site.client() as client:
            assert client.post(path, content=ONE_CLICK).status_code == 200
        assert state(site) is SubscriberState.UNSUBSCRIBED


def test_u4_what_waits_is_cancelled_and_what_is_claimed_is_withdrawn(site: Running) -> None:
    """A queued mail is cancelled; one that a worker holds is no longer wanted."""
    one, two = reader(site), reader(site, "emmy@example.org")
    digests = [digest_of(one, listing("a")), digest_of(two, listing("b"))]
    site.app.store.open_deliveries(FRAME, digests, NOW)
    held = claim(site.app.store, NOW, 1, 600, "worker")[0]
    with site.client() as client:
        for person in (one, two):
            client.post(link(site, person), content=ONE_CLICK)
    assert not site.app.store.wanted(held.lease, NOW)
    waiting = two if held.delivery.digest.subscriber.id == one.id else one
    kept = site.app.store.delivery(waiting.id, NOW.date())
    assert kept
    assert kept.state is DeliveryState.CANCELLED


def test_u5_the_second_time_and_a_guess_read_the_same(site: Running) -> None:
    """Known, used and made-up tokens give the same bytes, for the page and for the POST."""
    path = link(site, reader(site))
    paths = [
        path,
        path,
        "/unsubscribe/MTIz.made-up",
        "/unsubscribe/%00",
        "/unsubscribe/" + "x" * 900,
    ]
    with site.client() as client:
        pages = {client.get(one).text for one in paths}
        answers = {(r.status_code, r.text) for r in (client.post(one) for one in paths)}
    assert len(pages) == 1
    assert len(answers) == 1
    assert next(iter(answers))[0] == 200


def test_u6_t1_a_token_does_one_thing_only() -> None:
    """No token is good for another purpose, and none with a bit changed is good for any."""
    tokens = Tokens(["a-key-that-is-long-enough"])
    made = {p: tokens.issue(p, 7, NOW) for p in (MANAGE, CONFIRM, SESSION, FORM)}
    leave = tokens.unsubscribe(7)
    for purpose, token in made.items():
        assert tokens.read_unsubscribe(token) is None
        assert tokens.read(purpose, leave) is None
        read = {other: tokens.read(other, token) for other in made}
        assert [other for other, found in read.items() if found] == [purpose]
    for token in (leave, made[MANAGE]):
        for at in range(len(token)):
            for bit in range(7):
                bent = token[:at] + chr(ord(token[at]) ^ (1 << bit)) + token[at + 1 :]
                assert tokens.read_unsubscribe(bent) is None
                assert tokens.read(MANAGE, bent) is None


def test_u8_the_operators_list_revives_nobody(site: Running) -> None:
    """An import after the unsubscribe leaves it standing."""
    with site.client() as client:
        client.post(link(site, reader(site)), content=ONE_CLICK)
    reader(site)
    assert state(site) is SubscriberState.UNSUBSCRIBED


def test_a_database_that_is_gone_is_no_success(site: Running) -> None:
    """Who could not be unsubscribed is told so, and is asked to try again."""
    path = link(site, reader(site))
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        db.executescript(FULL_DISK)
    with site.client() as client:
        answer = client.post(path, content=ONE_CLICK)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "secret place" not in answer.text


def test_the_page_of_a_service_below_a_path(tmp_path: Path) -> None:
    """With a base URL that has a path, pages answer there and below the proxy that cuts it off."""
    with (
        running_site(tmp_path, base_url="https://lab.example.org/digest") as site,
        site.client() as c,
    ):
        for path in ("/digest/unsubscribe/x", "/unsubscribe/x"):
            page = c.get(path)
            assert page.status_code == 200
            assert 'href="/digest/style.css"' in page.text
        assert c.get("/digest/style.css").status_code == 200


def test_httpx_sends_no_browser_headers(site: Running) -> None:
    """What the tests call a bare client is one."""
    with site.client() as client:
        sent = client.build_request("POST", "/").headers
    assert not {"origin", "cookie", "referer", "sec-fetch-site"} & {*httpx.Headers(sent)}
