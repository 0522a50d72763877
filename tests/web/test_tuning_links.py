"""The links beside a paper: whom they serve, for how long, and what they cannot do."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from digest.model import Origin, Subscriber
from digest.tokens import CONFIRM, MANAGE, SESSION, UNSUBSCRIBE
from tests.samples import NOW, subscriber
from tests.web.papers import fields, mailed, now_of, path, press
from tests.web.running import Running, running_site


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


def test_t1_t2_the_link_opens_this_and_nothing_else(site: Running, ada: Subscriber) -> None:
    """Tokens of other purposes open no tuning page, a flipped one neither, and all look alike."""
    (paper,) = mailed(site, ada)
    tokens = site.app.tokens
    others = [
        tokens.issue(purpose, ada.id, NOW) for purpose in (MANAGE, CONFIRM, SESSION, UNSUBSCRIBE)
    ]
    good = path(site, ada, "more", paper).split("/")[2]
    with site.client() as client:
        pages = {
            client.get(f"/tune/{token}/more/{paper.id}").text for token in [*others, good[:-2], "x"]
        }
        assert len(pages) == 1
        assert "no longer good" in pages.pop()
        assert client.get(f"/preferences/{good}").status_code == 410


def test_t2_the_link_works_for_a_week(site: Running, ada: Subscriber) -> None:
    """A mail of last week can no longer change a profile."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "more", paper)
    with site.browser() as browser:
        sent = fields(browser.get(where).text)
        site.pass_time(days=7, hours=1)
        assert browser.get(where).status_code == 410
        assert browser.post(where, data=sent).status_code == 410
    assert not site.app.store.likes([ada.id])


def test_only_papers_that_were_mailed_to_the_reader_can_be_judged(
    site: Running, ada: Subscriber
) -> None:
    """Another reader's paper, a number of nothing, and one beyond all numbers."""
    other = site.app.store.put_subscriber(subscriber("emmy@example.org", origin=Origin.STORE), NOW)
    (paper,) = mailed(site, other)
    with site.client() as client:
        for number in (paper.id, 999, 10**40):
            where = path(site, ada, "more", replace(paper, id=number))
            assert client.get(where).status_code == 410
        assert client.get(path(site, other, "sideways", paper)).status_code == 404


def test_t3_the_pages_are_not_kept_and_tell_no_other_site(site: Running, ada: Subscriber) -> None:
    """No-store, no-referrer, a policy without scripts, and no address in the page."""
    (paper,) = mailed(site, ada)
    with site.client() as client:
        answer = client.get(path(site, ada, "more", paper))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert ada.email not in answer.text


def test_who_erased_their_data_has_no_links_left(site: Running, ada: Subscriber) -> None:
    """The link says what any dead link says."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "more", paper)
    site.app.store.erase(ada.id, NOW)
    with site.client() as client:
        assert client.get(where).status_code == 410


def test_only_the_last_change_is_undone_from_the_mail(site: Running, ada: Subscriber) -> None:
    """An older one is left to the preferences, since undoing it takes back what came later."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        first = press(
            browser, path(site, ada, "mute", paper), 'auto">“flash attention” is taken out'
        )
        press(browser, path(site, ada, "follow", paper), "Ada Lovelace")
        again = browser.get(first.url.path)
        assert "changed again since" in again.text
        browser.post(first.url.path.replace("/done/", "/undo/"))
    assert now_of(site, ada).profile.authors == ("Ada Lovelace",)


# --- subscribers of the file --------------------------------------------------------------------

FILE = """
[[subscribers]]
email = "grace@example.org"
[subscribers.keywords]
"flash attention" = 2
"""


@contextmanager
def filed(folder: Path) -> Iterator[tuple[Running, Subscriber]]:
    """A site with a subscriber of the config file."""
    with running_site(folder, people=FILE) as site:
        one = site.app.store.subscriber("grace@example.org")
        assert one
        yield site, one


def test_a_subscriber_of_the_file_gets_the_lines_to_paste(tmp_path: Path) -> None:
    """The page shows the TOML of each change and no button but that of the like."""
    with filed(tmp_path) as (site, grace), site.browser() as browser:
        (paper,) = mailed(site, grace)
        page = html.unescape(browser.get(path(site, grace, "more", paper)).text)
        assert '[subscribers.keywords]\n"flash attention" = 3' in page
        assert 'name="choice"' not in page
        muted = html.unescape(browser.get(path(site, grace, "mute", paper)).text)
        assert '# take out: "flash attention" = 2' in muted
        assert 'exclude = [\n    "flash attention",\n]' in muted
        assert 'name="mark"' in muted
        follow = html.unescape(browser.get(path(site, grace, "follow", paper)).text)
        assert 'authors = [\n    "Tri Dao",\n]' in follow
        assert "Do it" not in follow
        done = press(browser, path(site, grace, "less", paper))
        assert done.status_code == 200
        assert now_of(site, grace).profile == grace.profile
        assert site.app.store.likes([grace.id])[grace.id][0].value == -1
        browser.post(done.url.path.replace("/done/", "/undo/"))
        assert not site.app.store.likes([grace.id])
