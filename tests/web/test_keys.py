"""The page of keys: made once, shown once, revoked at once."""

from __future__ import annotations

import re

import httpx
import pytest

from digest.model import Origin, Subscriber
from digest.store.operating import MOST_KEYS
from tests.samples import NOW, subscriber
from tests.web.running import Running, fields_of
from tests.web.sessions import session


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


def make(browser: httpx.Client, name: str = "my script") -> httpx.Response:
    """Press the button that makes a key."""
    mark = dict(fields_of(browser.get("/preferences/keys").text))["mark"]
    return browser.post("/preferences/keys", data={"mark": mark, "name": name})


def test_a_key_is_shown_once_and_works(site: Running, ada: Subscriber) -> None:
    """In the answer that made it; the page lists it by its name alone."""
    with session(site, ada) as browser:
        assert "/preferences/keys" in browser.get("/preferences").text
        found = re.search(r"<code>(digest_[\w-]{32})</code>", make(browser, "<b>my script").text)
        assert found
        page = browser.get("/preferences/keys").text
        assert found[1] not in page
        assert "&lt;b&gt;my script" in page
        assert "not used yet" in page
        with site.client(authorization=f"Bearer {found[1]}") as program:
            assert program.get("/api/me").json()["email"] == "ada@example.org"
        assert "last used 20 November 2026" in browser.get("/preferences/keys").text


def test_a_key_is_revoked_by_its_button(site: Running, ada: Subscriber) -> None:
    """Only one's own; the key of somebody else stays."""
    emmy = site.app.store.put_subscriber(subscriber("emmy@example.org"), NOW)
    kept = site.app.store.add_api_key(emmy.id, "hers", "x", NOW)
    assert kept
    with session(site, ada) as browser:
        make(browser)
        (key,) = site.app.store.api_keys(ada.id)
        mark = dict(fields_of(browser.get("/preferences/keys").text))["mark"]
        for number in (str(kept.id), str(key.id), "x", "9" * 30):
            sent = {"mark": mark, "key": number}
            assert browser.post("/preferences/keys/revoke", data=sent).status_code == 200
    assert not site.app.store.api_keys(ada.id)
    assert site.app.store.api_keys(emmy.id) == [kept]


def test_t4_keys_need_the_mark_of_the_session(site: Running, ada: Subscriber) -> None:
    """A form from elsewhere makes none, and without a session there is no page."""
    with session(site, ada) as browser:
        assert browser.post("/preferences/keys", data={"name": "x"}).status_code == 403
    with site.browser() as browser:
        assert browser.get("/preferences/keys").status_code == 401
        assert browser.post("/preferences/keys", data={"name": "x"}).status_code == 401
    assert not site.app.store.api_keys(ada.id)


def test_there_are_only_so_many_keys(site: Running, ada: Subscriber) -> None:
    """The next one is refused in words."""
    for number in range(MOST_KEYS):
        assert site.app.store.add_api_key(ada.id, "x", f"{number}", NOW)
    with session(site, ada) as browser:
        answer = make(browser)
    assert answer.status_code == 422
    assert "revoke one" in answer.text
