"""The link to the preferences that works once, the session it opens, and its marks."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from digest import mailroom
from digest.mailer import EmlFolder
from digest.model import Origin, Subscriber
from digest.tokens import MANAGE, SESSION
from tests.samples import NOW, subscriber
from tests.web.running import Running, running_site
from tests.web.sessions import link, mark, now_of, session


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_u2_t2_looking_at_the_link_does_not_use_it(
    site: Running, ada: Subscriber, method: str
) -> None:
    """A scanner that fetches it twice leaves the button for the person, and gets no cookie."""
    path = link(site, ada)
    with site.client() as scanner:
        for _ in range(2):
            answer = scanner.request(method, path)
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
    with site.browser() as browser:
        assert browser.post(path).url.path == "/preferences"


def test_t2_the_link_works_once(site: Running, ada: Subscriber) -> None:
    """Pressed again elsewhere it opens nothing; in the same browser it leads on."""
    path = link(site, ada)
    with site.browser() as first, site.browser() as other:
        first.post(path)
        for answer in (other.get(path), other.post(path)):
            assert answer.status_code == 410
            assert "fresh link" in answer.text
        assert first.get(path).url.path == "/preferences"


def test_t2_a_used_link_stays_used_when_a_new_secret_comes(tmp_path: Path) -> None:
    """The old secret still verifies the link, so that its use must still be known as well."""
    (tmp_path / "secret.key").write_text("the-old-secret\n")
    with running_site(tmp_path) as site:
        ada = site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
        used, fresh = (
            link(site, ada),
            f"/preferences/{site.app.tokens.manage(ada.id, NOW - timedelta(hours=1))}",
        )
        with site.browser() as browser:
            assert browser.post(used).status_code == 200
    (tmp_path / "secret.key").write_text("the-new-secret\nthe-old-secret\n")
    with running_site(tmp_path) as site, site.browser() as browser:
        assert browser.get(used).status_code == 410
        assert browser.post(used).status_code == 410
        assert browser.post(fresh).status_code == 200
    with running_site(tmp_path) as site, site.browser() as browser:
        assert browser.post(fresh).status_code == 410


def test_t2_the_link_works_for_seven_days(site: Running, ada: Subscriber) -> None:
    """A week later it offers to mail a fresh one, to the address that we know."""
    path = link(site, ada)
    site.pass_time(days=7, seconds=1)
    with site.browser() as browser:
        assert browser.post(path).status_code == 410
        answer = browser.post(f"{path}/fresh")
        assert "ada@example.org" not in answer.text
    assert isinstance(site.app.mailer, EmlFolder)
    asyncio.run(mailroom.send_letters(site.app, lambda: site.now))
    (mail,) = site.app.mailer.written
    found = re.search(rb"/preferences/\S+", mail.read_bytes().replace(b"=\r\n", b""))
    assert found
    with site.browser() as browser:
        assert browser.post(found[0].decode()).status_code == 200


def test_t2_a_fresh_link_tells_nobody_anything(site: Running, ada: Subscriber) -> None:
    """Made-up tokens, gone people and real ones get the same bytes; five letters a day at most."""
    path = link(site, ada)
    gone = f"/preferences/{site.app.tokens.manage(999, NOW)}"
    with site.browser() as browser:
        answers = {
            browser.post(f"{one}/fresh").text for one in (path, gone, "/preferences/made-up")
        }
        assert len(answers) == 1
        for _ in range(10):
            browser.post(f"{path}/fresh")
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        assert db.execute("SELECT count(*) FROM letters").fetchone() == (5,)


def test_t2_the_cookie_is_closed_to_scripts_and_other_sites(tmp_path: Path) -> None:
    """HttpOnly, SameSite=Lax, below the site's path, and Secure where people come by https."""
    with running_site(tmp_path, base_url="https://lab.example.org/digest") as site:
        one = site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
        with site.client() as client:
            answer = client.post("/digest" + link(site, one))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/digest/preferences"
    cookie = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=lax", "secure", "path=/digest", "max-age=7200"} <= cookie


def test_a_session_ends_after_two_hours_or_when_it_is_closed(
    site: Running, ada: Subscriber
) -> None:
    """Then the page says how to come in, with 401."""
    with session(site, ada) as browser:
        site.pass_time(hours=2, seconds=2)
        assert browser.get("/preferences").status_code == 401
    with session(site, ada) as browser:
        browser.post("/preferences/close")
        assert browser.get("/preferences").status_code == 401


@pytest.mark.parametrize("purpose", [MANAGE, "confirm", "form"])
def test_u6_no_other_token_is_a_session(site: Running, ada: Subscriber, purpose: str) -> None:
    """What lies in a mail does not open the preferences as a cookie, nor does a bare number."""
    with site.browser() as browser:
        for value in (site.app.tokens.issue(purpose, ada.id, site.now), str(ada.id), ""):
            browser.cookies.set("digest_session", value)
            assert browser.get("/preferences").status_code == 401
        browser.cookies.set("digest_session", site.app.tokens.issue(SESSION, ada.id, site.now))
        assert browser.get("/preferences").status_code == 200


def test_u6_an_unsubscribe_link_opens_no_preferences(site: Running, ada: Subscriber) -> None:
    """It lies in every forwarded mail, and it unsubscribes and nothing else."""
    token = site.app.tokens.unsubscribe(ada.id)
    with site.browser() as browser:
        for path in (f"/preferences/{token}", f"/confirm/{token}"):
            assert browser.get(path).status_code == 410
            assert browser.post(path).status_code == 410
    assert now_of(site, ada) == ada


# --- T4 -----------------------------------------------------------------------------------------

CHANGES = ("", "/toml", "/pause", "/leave", "/erase")


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("trick", ["no mark", "mark of another", "cross-site", "other origin"])
def test_t4_every_form_is_held_to_its_session(
    site: Running, ada: Subscriber, path: str, trick: str
) -> None:
    """A form without the session's mark, or from another site's page, changes nothing."""
    emmy = site.app.store.put_subscriber(subscriber("emmy@example.org", origin=Origin.STORE), NOW)
    with session(site, emmy) as other:
        foreign = mark(other)
    with session(site, ada) as browser:
        sent = {"mark": mark(browser), "sure": "on", "until": "2026-12-24", "toml": "x = "}
        headers = {}
        match trick:
            case "no mark":
                del sent["mark"]
            case "mark of another":
                sent["mark"] = foreign
            case "cross-site":
                headers = {"sec-fetch-site": "cross-site"}
            case _:
                del browser.headers["sec-fetch-site"]
                headers = {"origin": "https://evil.example"}
        answer = browser.post(f"/preferences{path}", data=sent, headers=headers)
    assert answer.status_code == 403
    assert now_of(site, ada) == ada


@pytest.mark.parametrize("path", CHANGES)
def test_without_a_session_nothing_can_be_done(site: Running, ada: Subscriber, path: str) -> None:
    """Each form answers 401, and the files as well."""
    with site.browser() as browser:
        assert browser.post(f"/preferences{path}", data={"mark": "x"}).status_code == 401
        for name in ("profile.toml", "my-data.json"):
            assert browser.get(f"/preferences/{name}").status_code == 401
    assert now_of(site, ada) == ada
