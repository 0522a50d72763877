"""Tuning from the mail: looking changes nothing, the button does what was shown."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from digest.learning import likes_of
from digest.model import Listing, Origin, Profile, Subscriber
from digest.tokens import CONFIRM, MANAGE, SESSION, UNSUBSCRIBE
from tests.chromium import visited
from tests.samples import FRAME, NOW, digest_of, listing, profile, subscriber
from tests.web.running import Running, running_site

PAPER = listing(
    "Sparse Flash Attention <b>for</b> Long Contexts",
    key="arxiv:2606.00001",
    abstract="Flash attention tiles the softmax. Kernels fuse; kernels are sparse.",
    authors=("Tri Dao", "Ada Lovelace"),
    organization="Bell Labs",
)
VERBS = ("more", "less", "mute", "follow")


def mailed(site: Running, one: Subscriber, *papers: Listing) -> list[Listing]:
    """These papers as stored, once a digest has shown them to this person."""
    fresh = papers or (PAPER,)
    terms = {"flash": 9, "attent": 9, "kernel": 9, "sparse": 9, "softmax": 9}
    site.app.store.add_listings(fresh, [], terms, set(), NOW)
    stored = [
        found for found in site.app.store.recent_listings(9) if found.key in {p.key for p in fresh}
    ]
    digest = digest_of(one, *stored)
    assert site.app.store.open_deliveries(FRAME, [digest], NOW) == 1
    return stored


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


def path(site: Running, one: Subscriber, verb: str, paper: Listing) -> str:
    """The path of a tuning link in the mail of now."""
    tune = site.app.tokens.links("http://localhost", one.id, NOW).tune
    return f"{tune.removeprefix('http://localhost')}/{verb}/{paper.id}".replace("//", "/")


def now_of(site: Running, one: Subscriber) -> Subscriber:
    """The subscriber as the store has it now."""
    found = site.app.store.subscriber_by_id(one.id)
    assert found
    return found


def fields(page: str, *, ticked: str = "") -> dict[str, str | list[str]]:
    """What a browser sends for the page's form, the boxes ticked whose label has these words."""
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    labels = re.findall(r'name="choice" value="([^"]*)"( checked)?>(.*?)</label>', page, re.DOTALL)
    wanted = [
        html.unescape(value)
        for value, checked, words in labels
        if (ticked in html.unescape(words) if ticked else checked)
    ]
    return {"mark": mark[1], "choice": wanted}


def press(browser: httpx.Client, where: str, ticked: str = "") -> httpx.Response:
    """Look at a page, then press its button."""
    return browser.post(where, data=fields(browser.get(where).text, ticked=ticked))


def weights(found: Profile) -> dict[str, float]:
    """The keywords of a profile."""
    return {keyword.term: keyword.weight for keyword in found.keywords}


def rows(site: Running) -> list[str]:
    """All that the database holds, as text."""
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        return list(db.iterdump())


# --- looking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_u2_looking_at_tuning_links_changes_nothing(
    site: Running, ada: Subscriber, method: str
) -> None:
    """A scanner that fetches every link of an item twice leaves the database as it was."""
    (paper,) = mailed(site, ada)
    before = rows(site)
    links = [path(site, ada, verb, paper) for verb in VERBS]
    links.append(links[0].replace("/more", ""))
    with site.client() as scanner:
        for where in [*links, *links]:
            answer = scanner.request(method, where)
            assert answer.status_code == 200, where
            assert "set-cookie" not in answer.headers
    assert rows(site) == before


def test_u2_a_scanner_that_runs_scripts_changes_nothing(
    site: Running, ada: Subscriber, tmp_path: Path
) -> None:
    """A real browser with scripts on opens each link twice and waits; nothing sends the form."""
    (paper,) = mailed(site, ada)
    before = rows(site)
    for where in [path(site, ada, verb, paper) for verb in VERBS] * 2:
        assert "Nothing has changed yet" in visited(tmp_path, site.url + where)
    assert rows(site) == before


def test_the_page_says_what_would_change(site: Running, ada: Subscriber) -> None:
    """Each choice in words with its evidence, the first ones ticked; text from outside escaped."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        page = browser.get(path(site, ada, "more", paper)).text
    assert "“flash attention” counts 3 instead of 2." in page
    assert "of all" in page
    assert "<b>for</b>" not in page
    assert "kept as an example" in page
    assert 'name="choice"' in page


def test_b8_the_page_offers_a_link_to_each_way_of_tuning(site: Running, ada: Subscriber) -> None:
    """The one address of the text part leads to all four."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        page = browser.get(path(site, ada, "more", paper).replace("/more", "")).text
    for verb in VERBS:
        assert path(site, ada, verb, paper) in page


# --- pressing -----------------------------------------------------------------------------------


def test_more_like_this_keeps_the_like_and_changes_what_was_ticked(
    site: Running, ada: Subscriber
) -> None:
    """The profile gets what the page said, the paper is liked by the web, and undo takes both."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        done = press(browser, path(site, ada, "more", paper), "flash attention")
        assert done.status_code == 200
        assert "/done/" in done.url.path
        assert weights(now_of(site, ada).profile) == {"flash attention": 3.0}
        (said,) = site.app.store.likes([ada.id])[ada.id]
        assert (said.value, said.origin, said.listing.key) == (1, "web", paper.key)
        assert "Undo" in done.text
        undone = browser.post(done.url.path.replace("/done/", "/undo/"))
        assert "Taken back" in undone.text
    assert now_of(site, ada).profile == ada.profile
    assert not site.app.store.likes([ada.id])


def test_less_like_this_without_a_tick_only_keeps_the_dislike(
    site: Running, ada: Subscriber
) -> None:
    """The profile stays, and the example is there."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "less", paper)
    with site.browser() as browser:
        sent = fields(browser.get(where).text) | {"choice": []}
        assert "kept as an example" in browser.post(where, data=sent).text
    assert now_of(site, ada).profile == ada.profile
    (said,) = site.app.store.likes([ada.id])[ada.id]
    assert said.value == -1


def test_what_is_said_counts_at_once_where_the_profile_learns(site: Running) -> None:
    """The page says so, and the next ranking has the example."""
    learner = subscriber("emmy@example.org", profile=profile(learn=True), origin=Origin.STORE)
    emmy = site.app.store.put_subscriber(learner, NOW)
    (paper,) = mailed(site, emmy)
    with site.browser() as browser:
        where = path(site, emmy, "more", paper)
        assert "counts at once" in browser.get(where).text
        assert "counts from the next mail on" in press(browser, where).text
    (likes,) = likes_of(site.app.store, [now_of(site, emmy)])
    assert likes
    assert [liked.key for liked in likes.liked] == [paper.key]


@pytest.mark.parametrize(
    ("words", "keywords", "excluded"),
    [
        ('auto">“flash attention” is taken out', {}, ()),
        ("Nothing with “flash attention” is shown", {}, ("flash attention",)),
    ],
)
def test_a_term_that_brought_it_is_muted_or_never_shown(
    site: Running,
    ada: Subscriber,
    words: str,
    keywords: dict[str, float],
    excluded: tuple[str, ...],
) -> None:
    """The reader chooses which; the paper itself is neither liked nor disliked."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        press(browser, path(site, ada, "mute", paper), words)
    changed = now_of(site, ada).profile
    assert (weights(changed), changed.exclude) == (keywords, excluded)
    assert not site.app.store.likes([ada.id])


def test_any_other_word_can_be_muted(site: Running, ada: Subscriber) -> None:
    """It is typed, the page shows what would change, and the button does it."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "mute", paper)
    with site.browser() as browser:
        assert "can be no keyword" in browser.get(where, params={"term": "+"}).text
        page = browser.get(where, params={"term": "softmax"}).text
        browser.post(where, data=fields(page, ticked="“softmax” pushes down"))
    assert weights(now_of(site, ada).profile) == {"flash attention": 2.0, "softmax": -1.0}


def test_authors_and_the_lab_are_followed(site: Running, ada: Subscriber) -> None:
    """Whom was ticked, and nobody else."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "follow", paper)
    with site.browser() as browser:
        press(browser, where, "What Ada Lovelace writes")
        assert "Ada Lovelace is followed already" in browser.get(where).text
        press(browser, where, "What comes from Bell Labs")
    changed = now_of(site, ada).profile
    assert (changed.authors, changed.organizations) == (("Ada Lovelace",), ("Bell Labs",))


@pytest.mark.parametrize("verb", ["mute", "follow"])
def test_nothing_chosen_is_nothing_done(site: Running, ada: Subscriber, verb: str) -> None:
    """The page asks again."""
    (paper,) = mailed(site, ada)
    with site.browser() as browser:
        answer = press(browser, path(site, ada, verb, paper))
    assert answer.status_code == 422
    assert "Choose one" in answer.text
    assert not site.app.store.revisions(ada.id)


# --- what was shown is what is done -------------------------------------------------------------


def test_a_profile_that_changed_meanwhile_is_shown_anew(site: Running, ada: Subscriber) -> None:
    """The old page does nothing; the button pressed twice does its work once."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "mute", paper)
    with site.browser() as browser:
        sent = fields(browser.get(where).text, ticked='auto">“flash attention” is taken out')
        other = replace(now_of(site, ada), profile=profile(keywords={"flash attention": 1.0}))
        site.app.store.put_subscriber(other, NOW)
        answer = browser.post(where, data=sent)
        assert answer.status_code == 409
        assert "has changed since" in answer.text
        assert weights(now_of(site, ada).profile) == {"flash attention": 1.0}
        sent = fields(browser.get(where).text, ticked='auto">“flash attention” is taken out')
        assert [browser.post(where, data=sent).status_code for _ in range(2)] == [200, 409]


@pytest.mark.parametrize("value", ["weigh 100 casino", "never the", "author Nobody Known", "x"])
def test_only_what_was_offered_can_be_done(site: Running, ada: Subscriber, value: str) -> None:
    """Who holds a forwarded mail writes nothing of their own into a profile."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "more", paper)
    with site.browser() as browser:
        sent = fields(browser.get(where).text)
        seal = str(sent["choice"][0]).partition(" ")[0]
        for forged in (value, f"{seal} {value}"):
            answer = browser.post(where, data=sent | {"choice": [forged]})
            assert answer.status_code == 409
    assert now_of(site, ada).profile == ada.profile


def test_t4_a_form_of_another_site_does_nothing(site: Running, ada: Subscriber) -> None:
    """It is refused before it is read."""
    (paper,) = mailed(site, ada)
    where = path(site, ada, "more", paper)
    with site.browser() as browser:
        sent = fields(browser.get(where).text)
        answer = browser.post(where, data=sent, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert not site.app.store.likes([ada.id])


# --- the link -----------------------------------------------------------------------------------


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
