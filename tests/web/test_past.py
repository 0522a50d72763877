"""My digests: the list, each as a page, and private links for feed readers and libraries."""

from __future__ import annotations

import json
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from digest.formats import ATOM
from digest.model import Origin, Sent, Subscriber
from digest.tokens import FEED, MANAGE, TUNE
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim, close
from tests.web.running import Running
from tests.web.sessions import mark, now_of, session

PAPERS = [
    listing("Kernels <b>one</b>", key="arxiv:2606.00001", url="https://arxiv.org/abs/2606.00001",
            authors=("Emmy Noether",), abstract="Of rings."),
    listing("Kernels two", key="arxiv:2606.00002", url="https://arxiv.org/abs/2606.00002"),
]  # fmt: skip
DAY = NOW.date()


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store who got two digests."""
    store = site.app.store
    one = store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
    store.add_listings(PAPERS, [], {}, set(), NOW)
    stored = store.recent_listings(2)
    for day, shown in ((DAY - timedelta(days=1), stored[:1]), (DAY, stored)):
        store.open_deliveries(site.app.frame, [digest_of(one, *shown, digest_on=day)], NOW)
        (held,) = claim(store, NOW, 1, 60, "w")
        close(store, held, Sent("250 taken"), NOW, NOW)
    return one


def private(site: Running, one: Subscriber) -> str:
    """The path of a fresh private link."""
    with session(site, one) as browser:
        sent = {"mark": mark(browser, "/preferences/digests"), "make": "1"}
        page = browser.post("/preferences/digests", data=sent).text
    found = page.partition('id="atom"')[2].partition('value="')[2].partition("/digests.atom")[0]
    assert found.startswith("http://localhost/feed/")
    return found.removeprefix("http://localhost")


def test_past_digests_are_listed_and_shown_as_they_were_mailed(
    site: Running, ada: Subscriber
) -> None:
    """The newest first; each page has the mail's look, its own policy and no script."""
    with session(site, ada) as browser:
        page = browser.get("/preferences/digests").text
        days = [DAY.isoformat(), (DAY - timedelta(days=1)).isoformat()]
        assert [day for day in days if f'/preferences/digests/{day}"' in page] == days
        assert page.index(days[0]) < page.index(days[1])
        assert "<b>one</b>" not in page
        shown = browser.get(f"/preferences/digests/{DAY}")
        assert shown.status_code == 200
        assert "Kernels two" in shown.text
        assert "More like this" in shown.text
        assert "My digests" in shown.text
        assert "<script" not in shown.text
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy


@pytest.mark.parametrize("day", ["2020-01-01", "x", "2026-13-01", "2026-11-20.exe"])
def test_a_day_without_a_digest_has_no_page(site: Running, ada: Subscriber, day: str) -> None:
    """Whatever stands in the path."""
    with session(site, ada) as browser:
        assert browser.get(f"/preferences/digests/{day}").status_code == 404


def test_a_digest_can_be_had_for_reference_managers(site: Running, ada: Subscriber) -> None:
    """As BibTeX and RIS, as files named by the day."""
    with session(site, ada) as browser:
        bib = browser.get(f"/preferences/digests/{DAY}.bib")
        ris = browser.get(f"/preferences/digests/{DAY}.ris")
    assert "@misc{noether" in bib.text
    assert f'filename="digest-{DAY}.bib"' in bib.headers["content-disposition"]
    assert ris.text.count("ER  - ") == 2


def test_a_private_link_feeds_a_reader(site: Running, ada: Subscriber) -> None:
    """Without a session: each paper once, the newest day first, in Atom and JSON Feed alike."""
    path = private(site, ada)
    with site.client() as client:
        atom, feed = (client.get(f"{path}/digests.{form}") for form in ("atom", "json"))
        assert "@misc{" in client.get(f"{path}/{DAY}.bib").text
    titles = [each.text for each in ET.fromstring(atom.text).iter(f"{{{ATOM}}}title")]  # noqa: S314 - our own
    assert sorted(filter(None, titles))[:2] == ["Kernels <b>one</b>", "Kernels two"]
    assert len(json.loads(feed.text)["items"]) == 2
    assert atom.headers["content-type"].startswith("application/atom+xml")


def test_t3_private_links_are_not_indexed_and_tell_nobody(site: Running, ada: Subscriber) -> None:
    """No-referrer, private, noindex; no address in what they give."""
    path = private(site, ada)
    with site.client() as client:
        for name in ("digests.atom", "digests.json", f"{DAY}.bib", f"{DAY}.ris"):
            answer = client.get(f"{path}/{name}")
            assert answer.status_code == 200
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"].startswith("private")
            assert "noindex" in answer.headers["x-robots-tag"]
            assert ada.email not in answer.text


def test_a_private_link_works_until_it_is_revoked(site: Running, ada: Subscriber) -> None:
    """A new one ends the old one; revoked, none works; erased, neither."""
    old = private(site, ada)
    new = private(site, ada)
    assert old != new
    with site.client() as client:
        assert client.get(f"{old}/digests.atom").status_code == 404
        assert client.get(f"{new}/digests.atom").status_code == 200
        with session(site, ada) as browser:
            sent = {"mark": mark(browser, "/preferences/digests"), "revoke": "1"}
            browser.post("/preferences/digests", data=sent)
        assert client.get(f"{new}/digests.atom").status_code == 404
        last = private(site, ada)
        site.app.store.erase(ada.id, site.now)
        assert client.get(f"{last}/digests.atom").status_code == 404


def test_t1_other_tokens_open_no_feed_and_a_feed_opens_nothing_else(
    site: Running, ada: Subscriber
) -> None:
    """One purpose each, and every dead link reads the same."""
    token = private(site, ada).rpartition("/")[2]
    tokens = site.app.tokens
    others = [tokens.issue(MANAGE, ada.id, NOW), tokens.issue(TUNE, ada.id, NOW), token[:-2], "x"]
    others.append(tokens.issue(FEED, ada.id, NOW + timedelta(seconds=99)))
    with site.client() as client:
        pages = {client.get(f"/feed/{other}/digests.atom").text for other in others}
        assert len(pages) == 1
        assert client.get(f"/preferences/{token}").status_code == 410
        assert client.get(f"/tune/{token}/more/1").status_code == 410
        client.post(f"/unsubscribe/{token}")
        assert client.get(f"/feed/{token}/digests.exe").status_code == 404
    assert now_of(site, ada).state == ada.state


def test_what_is_still_on_its_way_is_not_shown(site: Running) -> None:
    """A digest that was not sent yet stands in no list and no feed."""
    one = site.app.store.put_subscriber(subscriber("emmy@example.org", origin=Origin.STORE), NOW)
    site.app.store.open_deliveries(FRAME, [digest_of(one, PAPERS[0])], NOW)
    with session(site, one) as browser:
        assert "There is none yet" in browser.get("/preferences/digests").text
        assert browser.get(f"/preferences/digests/{DAY}").status_code == 404
