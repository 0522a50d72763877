"""The admin pages: who gets in, what they show, what their buttons do and leave in the log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from digest.model import (
    Deferred,
    DeliveryState,
    Origin,
    SourceRun,
    Subscriber,
    SubscriberState,
    Unknown,
)
from digest.schedule import STALE_AFTER
from digest.ticks import Ticks
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim, close
from tests.web.running import Running, fields_of, running_site

TOKEN = "a-token-that-nobody-guesses"
PAGES = ("/admin/sources", "/admin/subscribers", "/admin/deliveries", "/admin/system")


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Running]:
    """A site with a public address whose admin pages need the token."""
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "token").chmod(0o600)
    web = 'admin_token_file = "token"\ntrusted_proxies = ["127.0.0.1"]'
    with running_site(tmp_path, base_url="http://localhost", web=web) as site:
        yield site


def press(browser: httpx.Client, page: str, path: str, **fields: str) -> httpx.Response:
    """Press a button of a page, with the page's mark."""
    found = re.search(r'name="mark" value="(\w+)"', browser.get(page).text)
    assert found
    return browser.post(path, data={"mark": found[1], **fields})


# --- who gets in --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/admin", *PAGES, "/admin/subscribers/1"])
def test_t10_without_a_token_strangers_find_nothing(tmp_path: Path, path: str) -> None:
    """A public site without a token has no admin pages for anybody, whatever they say of it."""
    with running_site(tmp_path, base_url="https://digest.example.org") as site:
        site.app.store.put_subscriber(subscriber(), NOW)
        with site.browser() as browser:
            assert browser.get(path).status_code == 404
            assert browser.post(path, data={"mark": "x"}).status_code in {404, 405}
    (tmp_path / "local").mkdir()
    with running_site(tmp_path / "local") as site, site.browser() as one:
        assert one.get(path, headers={"x-forwarded-for": "203.0.113.7"}).status_code == 404
        assert one.get(path, headers={"host": "evil.example"}).status_code == 404


def test_t10_this_machine_gets_in(site: Running, ada: Subscriber) -> None:
    """By a loopback address and name, with nothing else."""
    with site.browser() as browser:
        assert browser.get("/admin").url.path == "/admin/sources"
        for path in (*PAGES, f"/admin/subscribers/{ada.id}"):
            answer = browser.get(path)
            assert answer.status_code == 200, path
            assert len(answer.content) < 50_000


def test_t10_the_token_opens_a_session(closed: Running) -> None:
    """Eight hours, in a cookie of these pages alone; closed again by its button."""
    with closed.browser() as browser:
        for path in PAGES:
            assert browser.get(path).url.path == "/admin"
        assert browser.post("/admin", data={"token": "wrong"}).status_code == 401
        answer = browser.post("/admin", data={"token": TOKEN})
        assert answer.url.path == "/admin/sources"
        cookie = answer.history[0].headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "path=/admin"} <= set(cookie.split("; "))
        assert TOKEN not in cookie
        assert browser.get("/admin/system").url.path == "/admin/system"
        press(browser, "/admin/system", "/admin/leave")
        assert browser.get("/admin/system").url.path == "/admin"
        browser.post("/admin", data={"token": TOKEN})
        closed.pass_time(hours=8, seconds=2)
        assert browser.get("/admin/system").url.path == "/admin"


def test_t10_another_token_ends_the_sessions(closed: Running) -> None:
    """Whoever had the old one is out with the restart."""
    folder = closed.app.folder
    with closed.browser() as browser:
        browser.post("/admin", data={"token": TOKEN})
        cookie = browser.cookies["digest_admin"]
    (folder / "token").write_text("another-token-that-nobody-guesses")
    with running_site(folder, web='admin_token_file = "token"') as site, site.browser() as browser:
        browser.cookies.set("digest_admin", cookie)
        assert browser.get("/admin/system").url.path == "/admin"


def test_t10_tries_are_limited(closed: Running) -> None:
    """Ten an hour from one network; then the right token waits as well, elsewhere it works."""
    with closed.browser() as browser:
        statuses = [
            browser.post("/admin", data={"token": f"guess {n}"}).status_code for n in range(12)
        ]
        assert statuses == [401] * 10 + [429] * 2
        assert browser.post("/admin", data={"token": TOKEN}).status_code == 429
        elsewhere = {"x-forwarded-for": "203.0.113.9"}
        assert browser.post("/admin", data={"token": TOKEN}, headers=elsewhere).status_code == 200


ACTIONS = (
    "/admin/sources/read",
    "/admin/subscribers",
    "/admin/subscribers/1/remove",
    "/admin/subscribers/1/pause",
    "/admin/deliveries/1/cancel",
)


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("trick", ["no mark", "cross-site", "other origin"])
def test_t4_every_button_is_held_to_its_page(
    site: Running, ada: Subscriber, path: str, trick: str
) -> None:
    """Without the mark, or from another site's page, nothing is done."""
    with site.browser() as browser:
        found = re.search(r'name="mark" value="(\w+)"', browser.get("/admin/system").text)
        assert found
        sent = {"mark": found[1], "source": "Saved pages", "until": "2026-12-24"}
        headers = {}
        match trick:
            case "no mark":
                del sent["mark"]
            case "cross-site":
                headers = {"sec-fetch-site": "cross-site"}
            case _:
                del browser.headers["sec-fetch-site"]
                headers = {"origin": "https://evil.example"}
        assert browser.post(path, data=sent, headers=headers).status_code == 403
    assert site.app.store.subscriber_by_id(ada.id) == ada


@pytest.mark.parametrize("path", [p for p in ACTIONS if p != "/admin/subscribers"])
def test_u2_no_get_changes_anything(site: Running, ada: Subscriber, path: str) -> None:
    """Each action is a POST."""
    with site.browser() as browser:
        assert browser.get(path).status_code == 405
    assert site.app.store.subscriber_by_id(ada.id) == ada


# --- sources ------------------------------------------------------------------------------------


def test_sources_are_shown_and_read_by_a_button(
    site: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """How each stands, its error, and "read now", which tells the scheduler."""
    read: list[str] = []
    site.site.read_now = read.append
    run = SourceRun("Saved pages", NOW, error="<b>no such file", failing_since=NOW)
    site.app.store.record_run(run)
    with site.browser() as browser, caplog.at_level(logging.INFO, "digest"):
        page = browser.get("/admin/sources").text
        assert "&lt;b&gt;no such file" in page
        answer = press(browser, "/admin/sources", "/admin/sources/read", source="Saved pages")
        assert "is being read" in answer.text
        unknown = press(browser, "/admin/sources", "/admin/sources/read", source="x")
        assert unknown.status_code == 404
    assert read == ["Saved pages"]
    assert 'admin.read {"source": "Saved pages"}' in caplog.text


def test_read_now_reads_one_source(site: Running) -> None:
    """The step behind the button, with the real reader."""
    ticks = Ticks(site.app, lambda: site.now, asyncio.Event())
    asyncio.run(ticks.read("Saved pages"))
    assert set(site.app.store.latest_runs()) == {"Saved pages"}


# --- subscribers --------------------------------------------------------------------------------


def test_t3_an_address_is_searched_without_a_url(
    site: Running, ada: Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    """By a part of it, in any case, by POST; neither a URL nor the log holds it."""
    site.app.store.put_subscriber(subscriber("emmy@example.org"), NOW)
    with site.browser() as browser, caplog.at_level(logging.DEBUG, "digest"):
        answer = press(browser, "/admin/subscribers", "/admin/subscribers", part="ADA@", state="")
        assert "ada@example.org" in answer.text
        assert "emmy@example.org" not in answer.text
        assert "ada" not in str(answer.url)
        for part in ("%", "_@", "');--"):
            found = press(browser, "/admin/subscribers", "/admin/subscribers", part=part)
            assert "Nobody." in found.text
        page = browser.get("/admin/subscribers?state=paused").text
        assert "ada@" not in page
        assert press(browser, "/admin/system", f"/admin/subscribers/{ada.id}/link").is_success
    assert "ada@" not in caplog.text
    assert "admin.link" in caplog.text


def test_a_subscriber_is_paused_resumed_sent_a_link_and_removed(
    site: Running, ada: Subscriber
) -> None:
    """Each by its button; what is no move changes nothing and is said."""
    page = f"/admin/subscribers/{ada.id}"
    store = site.app.store
    with site.browser() as browser:
        assert "no move" in press(browser, page, f"{page}/pause", until="2020-01-01").text
        assert "Paused" in press(browser, page, f"{page}/pause", until="2026-12-24").text
        assert "goes out again" in press(browser, page, f"{page}/resume").text
        assert "no move" in press(browser, page, f"{page}/resume").text
        said = [press(browser, page, f"{page}/link").text for _ in range(6)]
        assert "is on its way" in said[0]
        assert "Enough letters" in said[5]
        assert site.woken
        assert press(browser, page, f"{page}/explode").status_code == 404
        assert "Removed" in press(browser, page, f"{page}/remove").text
        assert browser.get("/admin/subscribers/99").status_code == 404
        assert browser.get(f"/admin/subscribers/{10**30}").status_code == 404
    one = store.subscriber_by_id(ada.id)
    assert one
    assert one.state is SubscriberState.REMOVED


def test_u4_nobody_is_brought_back_by_the_operator(site: Running, ada: Subscriber) -> None:
    """Who has unsubscribed stays so, whatever is pressed; it is not forgotten by a removal."""
    page = f"/admin/subscribers/{ada.id}"
    site.app.store.set_state(ada.id, SubscriberState.UNSUBSCRIBED, NOW)
    with site.browser() as browser:
        for action in ("pause", "resume", "link", "remove"):
            answer = press(browser, page, f"{page}/{action}", until="2026-12-24")
            assert "no move" in answer.text
    one = site.app.store.subscriber_by_id(ada.id)
    assert one
    assert one.state is SubscriberState.UNSUBSCRIBED
    assert not site.woken


# --- deliveries ---------------------------------------------------------------------------------


def deliver(site: Running, ada: Subscriber, *outcomes: Unknown | Deferred) -> int:
    """A delivery that came to these outcomes; returns its number."""
    store = site.app.store
    store.open_deliveries(FRAME, [digest_of(ada, listing("A"))], NOW)
    for outcome in outcomes:
        (held,) = claim(store, site.now, 1, 60, "w")
        close(store, held, outcome, site.now, site.now + timedelta(hours=2))
        site.pass_time(hours=2)
    store.expire(site.now)
    (row,) = store.ledger_rows(10)
    return row.id


def state_of(site: Running) -> DeliveryState:
    """Where the one delivery stands."""
    (row,) = site.app.store.ledger_rows(10)
    return row.state


def test_a_deferred_delivery_is_tried_now(site: Running, ada: Subscriber) -> None:
    """Instead of at its next time; the row's reply is shown."""
    number = deliver(site, ada, Deferred("451 <later>", 451))
    site.now = NOW + timedelta(minutes=1)
    assert not claim(site.app.store, site.now, 1, 60, "w")
    with site.browser() as browser:
        page = browser.get("/admin/deliveries?state=deferred&day=2026-11-20").text
        assert "451 &lt;later&gt;" in page
        assert "ada@" not in page
        done = press(browser, "/admin/deliveries", f"/admin/deliveries/{number}/retry")
        assert "Done." in done.text
    assert claim(site.app.store, site.now, 1, 60, "w")


def test_q4_a_held_delivery_waits_for_a_person(site: Running, ada: Subscriber) -> None:
    """Two replies were lost: it goes out once more on the operator's word, with the same bytes."""
    number = deliver(site, ada, Unknown("lost"), Unknown("lost"))
    assert state_of(site) is DeliveryState.HELD
    before = site.app.store.delivery_by_id(number)
    with site.browser() as browser:
        press(browser, "/admin/deliveries", f"/admin/deliveries/{number}/retry")
    (held,) = claim(site.app.store, site.now, 1, 60, "w")
    assert held.delivery.message_id == before.message_id
    assert held.delivery.digest == before.digest
    close(site.app.store, held, Unknown("lost"), site.now, site.now)
    site.app.store.expire(site.now)
    assert state_of(site) is DeliveryState.HELD


@pytest.mark.parametrize("outcomes", [(), (Deferred("451", 451),), (Unknown("x"), Unknown("x"))])
def test_a_delivery_is_cancelled(
    site: Running, ada: Subscriber, outcomes: tuple[Unknown | Deferred, ...]
) -> None:
    """What waits or is held; once more is no move, and nothing is sent."""
    number = deliver(site, ada, *outcomes)
    with site.browser() as browser:
        cancel = f"/admin/deliveries/{number}/cancel"
        assert "Done." in press(browser, "/admin/deliveries", cancel).text
        assert "no move" in press(browser, "/admin/deliveries", cancel).text
        retry = f"/admin/deliveries/{number}/retry"
        assert "no move" in press(browser, "/admin/deliveries", retry).text
    assert state_of(site) is DeliveryState.CANCELLED
    assert not claim(site.app.store, site.now + timedelta(hours=9), 1, 60, "w")


def test_q16_what_is_stale_is_not_tried_again(site: Running, ada: Subscriber) -> None:
    """Yesterday's digest is not sent late, whoever asks; nor to who has left."""
    number = deliver(site, ada, Unknown("x"), Unknown("x"))
    assert not site.app.store.retry_delivery(number, NOW + STALE_AFTER + timedelta(seconds=1))
    site.app.store.set_state(ada.id, SubscriberState.UNSUBSCRIBED, site.now)
    assert not site.app.store.retry_delivery(number, site.now)
    assert state_of(site) is DeliveryState.HELD


def test_the_system_page_counts(site: Running, ada: Subscriber) -> None:
    """Version, people, digests, disk."""
    deliver(site, ada)
    with site.browser() as browser:
        page = browser.get("/admin/system").text
    assert "1 active" in page
    assert "1 queued" in page
    assert "SQLite" in page
    assert fields_of(page)  # the button that closes the pages
