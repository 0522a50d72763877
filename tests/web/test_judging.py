"""Tuning from the mail: looking changes nothing, the button does what was shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from digest.learning import likes_of
from digest.model import Origin, Subscriber
from tests.chromium import visited
from tests.samples import NOW, profile, subscriber
from tests.web.papers import VERBS, fields, mailed, now_of, path, press, rows, weights
from tests.web.running import Running


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)


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
