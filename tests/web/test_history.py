"""The last week's changes of a profile, and the way back; what is said of papers in forecasts."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from digest.model import Origin, Subscriber
from digest.store.personal import Like
from tests.samples import NOW, listing, profile, subscriber
from tests.web.running import Running
from tests.web.sessions import form, mark, now_of, session


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(
        subscriber(origin=Origin.STORE, timezone="Asia/Tokyo"), NOW
    )


def test_each_way_of_changing_is_shown_and_undone(site: Running, ada: Subscriber) -> None:
    """By the form, by TOML, by undoing itself; in words, in the reader's own time."""
    with session(site, ada) as browser:
        browser.post("/preferences", data=form(browser, term=["kernels"], weight=["2"]))
        toml = browser.get("/preferences/profile.toml").text.replace("kernels = 2", "kernels = 3")
        sent = {"mark": mark(browser), "toml": toml}
        browser.post("/preferences/toml", data=sent)
        page = browser.get("/preferences/history").text
        assert "“kernels” counts 3 instead of 2." in page
        assert "by a TOML profile" in page
        assert f"{NOW.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}" in page
        first = site.app.store.revisions(ada.id)[-1].id
        sent = {"mark": mark(browser, "/preferences/history"), "change": str(first)}
        assert "are what they were" in browser.post("/preferences/history", data=sent).text
        assert now_of(site, ada).profile == ada.profile
        again = {"mark": sent["mark"], "change": str(site.app.store.revisions(ada.id)[0].id)}
        browser.post("/preferences/history", data=again)
        assert [k.weight for k in now_of(site, ada).profile.keywords] == [3.0]
        exported = browser.get("/preferences/my-data.json").json()
    assert [change["changed_by"] for change in exported["changes"]] == [
        "undo",
        "undo",
        "toml",
        "form",
    ]


@pytest.mark.parametrize("change", ["", "x", "999", "9" * 40, "-1"])
def test_a_change_that_is_not_theirs_is_not_undone(
    site: Running, ada: Subscriber, change: str
) -> None:
    """The page comes again, and nothing else."""
    with session(site, ada) as browser:
        sent = {"mark": mark(browser, "/preferences"), "change": change}
        assert browser.post("/preferences/history", data=sent).status_code == 200
    assert now_of(site, ada) == ada


def test_t4_undoing_needs_the_mark_of_the_session(site: Running, ada: Subscriber) -> None:
    """Without it nothing is done."""
    site.app.store.change_subscriber(replace(ada, profile=profile(keywords={"a": 1.0})), NOW)
    number = site.app.store.revisions(ada.id)[0].id
    with session(site, ada) as browser:
        answer = browser.post("/preferences/history", data={"change": str(number)})
    assert answer.status_code == 403
    assert now_of(site, ada).profile != ada.profile


def test_learning_is_a_choice_of_the_form(site: Running, ada: Subscriber) -> None:
    """Ticked it counts, and unticked again it does not."""
    with session(site, ada) as browser:
        browser.post("/preferences", data=form(browser, learn="on"))
        assert now_of(site, ada).profile.learn
        sent = form(browser)
        assert sent.pop("learn") == ["on"]
        browser.post("/preferences", data=sent)
    assert not now_of(site, ada).profile.learn


def test_the_forecast_counts_what_was_said_of_papers(site: Running, ada: Subscriber) -> None:
    """Where the form lets it count, a liked topic brings papers that no keyword does."""
    papers = [listing(f"Sparse kernels number {n}", abstract="Sparse kernels.") for n in range(9)]
    others = [listing(f"Rivers number {n}", abstract="Water.") for n in range(9)]
    terms = {"sparse": 9, "kernel": 9, "river": 9, "water": 9}
    site.app.store.add_listings([*papers, *others], [], terms, set(), NOW)
    site.app.store.like(ada.id, Like(listing("Kernels", abstract="Sparse kernels."), 1, NOW, "web"))
    site.pass_time(days=20)  # what is compared with is older than any digest's window
    site.app.store.add_listings(
        [replace(p, key=f"{p.key}-b") for p in papers], [], terms, set(), site.now
    )
    with session(site, ada) as browser:
        sent = form(browser, min_score="0.01", forecast="1")
        without = browser.post("/preferences", data=sent).text.partition('id="forecast"')[2]
        learned = browser.post("/preferences", data=sent | {"learn": "on"}).text
    assert "<b>0.0</b> a day" in without
    assert "<b>0.0</b> a day" not in learned.partition('id="forecast"')[2]
