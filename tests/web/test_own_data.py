"""What readers do with their own row: pause, leave, take along, leave no trace."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import pytest

from digest import jobs
from digest.config import profile_toml
from digest.model import DeliveryState, Origin, SourceRun, Subscriber, SubscriberState
from digest.store.personal import Like
from digest.store.sqlite import SqliteStore
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim
from tests.web.running import Running
from tests.web.sessions import form, link, mark, now_of, session


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)


def test_a_pause_ends_by_itself(site: Running, ada: Subscriber) -> None:
    """Nothing is due until the day in the person's zone; then it goes on."""
    site.app.store.record_run(SourceRun("Saved pages", NOW))
    with session(site, ada) as browser:
        page = browser.post(
            "/preferences/pause", data={"mark": mark(browser), "until": "2026-11-25"}
        )
        assert "25 November 2026" in page.text
    for days, state in ((3, SubscriberState.PAUSED), (2, SubscriberState.ACTIVE)):
        site.pass_time(days=days)
        jobs.prepare(site.app, site.now)
        assert now_of(site, ada).state is state
    kept = site.app.store.delivery(ada.id, site.now.date())
    assert kept
    assert kept.state is DeliveryState.EMPTY


def test_a_pause_can_be_ended_by_hand(site: Running, ada: Subscriber) -> None:
    """The button is there while it lasts."""
    with session(site, ada) as browser:
        sent = {"mark": mark(browser)}
        browser.post("/preferences/pause", data=sent | {"until": "2026-12-24"})
        browser.post("/preferences/pause", data=sent | {"resume": "1"})
    assert now_of(site, ada) == ada
    assert site.app.store.paused_until(ada.id) is None


class Hasty(SqliteStore):
    """A store in which somebody leaves, or erases their data, right before a change is written."""

    erases = False

    def _go(self, subscriber_id: int, now: datetime) -> None:
        if self.erases:
            self.erase(subscriber_id, now)
        else:
            self.set_state(subscriber_id, SubscriberState.UNSUBSCRIBED, now)

    def pause(self, subscriber_id: int, until: datetime, now: datetime) -> bool:
        """Pause, a moment too late."""
        self._go(subscriber_id, now)
        return super().pause(subscriber_id, until, now)

    def unpause(self, subscriber_id: int, now: datetime) -> bool:
        """End a pause, a moment too late."""
        self._go(subscriber_id, now)
        return super().unpause(subscriber_id, now)

    def change_subscriber(
        self, subscriber: Subscriber, now: datetime, by: str = "form"
    ) -> Subscriber | None:
        """Change settings, a moment too late."""
        self._go(subscriber.id, now)
        return super().change_subscriber(subscriber, now, by)


@contextmanager
def hasty_store(site: Running) -> Iterator[Hasty]:
    """The site with a hasty store on the same file."""
    before, hasty = site.app.store, Hasty(site.app.folder / "digest.db")
    site.app.store = hasty
    try:
        yield hasty
    finally:
        site.app.store = before
        hasty.close_store()


@pytest.mark.parametrize("pressed", [{"until": "2026-12-24"}, {"resume": "1"}])
def test_u4_a_pause_does_not_take_back_an_unsubscribe(
    site: Running, ada: Subscriber, pressed: dict[str, str]
) -> None:
    """Who left in another window between the look and the change stays away."""
    if "resume" in pressed:
        site.app.store.pause(ada.id, NOW + timedelta(days=9), NOW)
    with session(site, ada) as browser, hasty_store(site):
        answer = browser.post("/preferences/pause", data={"mark": mark(browser), **pressed})
        assert "is unsubscribed" in answer.text
    assert now_of(site, ada).state is SubscriberState.UNSUBSCRIBED


def test_d3_saving_does_not_bring_back_who_was_erased(site: Running, ada: Subscriber) -> None:
    """A form that was open in another window is refused, and no row is made."""
    with session(site, ada) as browser, hasty_store(site) as store:
        sent = form(browser)
        store.erases = True
        assert browser.post("/preferences", data=sent).status_code == 401
    assert site.app.store.subscriber("ada@example.org") is None


@pytest.mark.parametrize(
    "until", ["", "2026-11-20", "2026-01-01", "2028-01-01", "tomorrow", "9" * 50]
)
def test_a_pause_needs_a_day_to_come(site: Running, ada: Subscriber, until: str) -> None:
    """Within a year; else it is said and nothing is changed."""
    with session(site, ada) as browser:
        sent = {"mark": mark(browser), "until": until}
        assert browser.post("/preferences/pause", data=sent).status_code == 422
    assert now_of(site, ada) == ada


def test_u4_leaving_cancels_what_waits(site: Running, ada: Subscriber) -> None:
    """The button in the preferences does what the link in the mail does."""
    site.app.store.open_deliveries(FRAME, [digest_of(ada, listing("a"))], NOW)
    with session(site, ada) as browser:
        browser.post("/preferences/leave", data={"mark": mark(browser)})
    assert now_of(site, ada).state is SubscriberState.UNSUBSCRIBED
    assert not claim(site.app.store, site.now, 10, 60, "w")


def test_d3_the_export_holds_everything(site: Running, ada: Subscriber) -> None:
    """Settings, consents, and each digest with what it showed."""
    site.app.store.open_deliveries(FRAME, [digest_of(ada, listing("A title"))], NOW)
    site.app.store.like(ada.id, Like(listing("Tiles"), -1, NOW, "web"))
    with session(site, ada) as browser:
        got = browser.get("/preferences/my-data.json")
    kept = json.loads(got.text)
    assert kept["address"] == "ada@example.org"
    assert kept["profile_toml"] == profile_toml(ada)
    assert [d["listings"][0]["title"] for d in kept["digests"]] == ["A title"]
    assert [(said["listing"]["title"], said["value"]) for said in kept["likes"]] == [("Tiles", -1)]


def test_d3_erased_is_erased(site: Running, ada: Subscriber) -> None:
    """No table holds the address, the name or a keyword any more, and old links lead nowhere."""
    token = site.app.tokens.unsubscribe(ada.id)
    site.app.store.open_deliveries(FRAME, [digest_of(ada, listing("A title"))], NOW)
    with session(site, ada) as browser:
        sent = {"mark": mark(browser)}
        assert browser.post("/preferences/erase", data=sent).status_code == 422
        answer = browser.post("/preferences/erase", data=sent | {"sure": "on"})
        assert "deleted" in answer.text
        assert browser.get("/preferences").status_code == 401
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        kept = [row for row in db.iterdump() if row.startswith("INSERT")]
    assert not [row for row in kept if "ada@" in row or "Ada" in row or "flash attention" in row]
    with site.client() as client:
        client.post(f"/unsubscribe/{token}")
    assert not site.app.store.subscribers()


def test_d3_the_number_of_an_erased_person_is_nobody_elses(site: Running, ada: Subscriber) -> None:
    """An old link of theirs cannot touch whoever comes next."""
    old = link(site, ada)
    site.app.store.erase(ada.id, site.now)
    emmy = site.app.store.put_subscriber(subscriber("emmy@example.org"), NOW)
    assert emmy.id != ada.id
    with site.browser() as browser:
        assert browser.post(old).status_code == 410
