"""Preferences: the link that works once, the session, and what can be done in it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from digest import jobs, mailroom
from digest.config import profile_toml
from digest.mailer import EmlFolder
from digest.model import DeliveryState, Origin, SourceRun, Subscriber, SubscriberState
from digest.store import Like
from digest.store.sqlite import SqliteStore
from digest.tokens import MANAGE, SESSION
from tests.samples import FRAME, NOW, digest_of, listing, profile, subscriber
from tests.store.steps import claim
from tests.web.running import Running, fields_of, running_site


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)


def link(site: Running, one: Subscriber) -> str:
    """The path of the link to manage in a mail of now."""
    return f"/preferences/{site.app.tokens.manage(one.id, site.now)}"


@contextmanager
def session(site: Running, one: Subscriber) -> Iterator[httpx.Client]:
    """A browser in which the preferences are open."""
    with site.browser() as browser:
        page = browser.post(link(site, one))
        assert page.url.path == "/preferences"
        assert page.status_code == 200
        yield browser
    site.pass_time(seconds=1)  # the next link is another one


def mark(browser: httpx.Client) -> str:
    """The session's mark as it stands in the forms."""
    return dict(fields_of(browser.get("/preferences").text))["mark"]


def now_of(site: Running, one: Subscriber) -> Subscriber:
    """The subscriber as the store has it now."""
    found = site.app.store.subscriber_by_id(one.id)
    assert found
    return found


def form(browser: httpx.Client, **changed: str | list[str]) -> dict[str, str | list[str]]:
    """The preferences' form as a browser would send it, with some fields changed."""
    gathered: dict[str, str | list[str]] = {}
    for name, value in fields_of(browser.get("/preferences").text):
        kept = gathered.setdefault(name, [])
        assert isinstance(kept, list)
        kept.append(value)
    return gathered | changed


# --- the link and the session -------------------------------------------------------------------


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


# --- the settings -------------------------------------------------------------------------------


def test_what_is_saved_unchanged_is_the_same(site: Running, ada: Subscriber) -> None:
    """Open, press Save: every setting as it was."""
    with session(site, ada) as browser:
        answer = browser.post("/preferences", data=form(browser))
        assert "Saved" in answer.text
    assert now_of(site, ada) == ada


def test_learning_outlives_the_form(site: Running, ada: Subscriber) -> None:
    """What was chosen in the profile is still chosen after the form was saved."""
    wanted = replace(ada, profile=replace(ada.profile, learn=True), origin=Origin.STORE)
    ada = site.app.store.put_subscriber(wanted, NOW)
    with session(site, ada) as browser:
        assert "Saved" in browser.post("/preferences", data=form(browser)).text
    assert now_of(site, ada) == ada


def test_the_form_changes_every_setting(site: Running, ada: Subscriber) -> None:
    """What is typed is what is kept; the address stays."""
    with session(site, ada) as browser:
        sent = form(
            browser,
            email="evil@example.org",
            term=["diffusion + policy", '"C++"'],
            weight=["2.5", "-1"],
            day=["mon", "fri"],
            send_at="18:45",
            timezone="Asia/Kathmandu",
            max_items="7",
            min_score="0.4",
            per_day="5",
            trending="2",
            when_empty="nearest",
            authors="Emmy Noether\r\nPaul Lévy",
            organizations="University of Göttingen",
            abstracts="full",
            exclude="category:cs.CR",
        )
        del sent["related"]
        assert browser.post("/preferences", data=sent).status_code == 200
    one = now_of(site, ada)
    assert one.email == "ada@example.org"
    assert (one.days, f"{one.send_at:%H:%M}", one.timezone) == (
        ("mon", "fri"),
        "18:45",
        "Asia/Kathmandu",
    )
    assert [(k.term, k.weight) for k in one.profile.keywords] == [
        ("diffusion + policy", 2.5),
        ('"C++"', -1.0),
    ]
    wanted = one.profile
    assert (wanted.max_items, wanted.min_score, wanted.per_day, wanted.trending) == (7, 0.4, 5, 2)
    assert (wanted.when_empty, wanted.related) == ("nearest", False)
    assert wanted.authors == ("Emmy Noether", "Paul Lévy")
    assert (wanted.organizations, wanted.abstracts) == (("University of Göttingen",), "full")
    assert wanted.exclude == ("category:cs.CR",)


def test_a_fault_in_the_form_saves_nothing(site: Running, ada: Subscriber) -> None:
    """It comes back with what was typed."""
    with session(site, ada) as browser:
        answer = browser.post("/preferences", data=form(browser, send_at="99:99"))
    assert answer.status_code == 422
    assert "<b>Hour:</b>" in answer.text
    assert now_of(site, ada) == ada


@pytest.mark.parametrize("way", ["typed", "uploaded"])
def test_the_profile_goes_round_as_toml(site: Running, ada: Subscriber, way: str) -> None:
    """Download, edit, send back as text or as a file: the settings are those of the text."""
    with session(site, ada) as browser:
        got = browser.get("/preferences/profile.toml")
        assert got.headers["content-disposition"] == 'attachment; filename="profile.toml"'
        assert got.text == profile_toml(ada)
        text = got.text.replace("max_items = 12", "max_items = 3")
        sent = {"mark": mark(browser)}
        if way == "typed":
            answer = browser.post("/preferences/toml", data=sent | {"toml": text})
        else:
            upload = {"file": ("profile.toml", text.encode(), "application/toml")}
            answer = browser.post("/preferences/toml", data=sent | {"toml": ""}, files=upload)
        assert "Saved" in answer.text
    assert now_of(site, ada).profile.max_items == 3


def test_every_fault_of_the_toml_is_told(site: Running, ada: Subscriber) -> None:
    """All at once, with the text still there, and nothing is saved."""
    text = profile_toml(ada) + '"(((" = 0\n'
    text = text.replace("max_items = 12", "max_itms = 12").replace("07:30", "7.30")
    with session(site, ada) as browser:
        answer = browser.post("/preferences/toml", data={"mark": mark(browser), "toml": text})
    assert answer.status_code == 422
    assert answer.text.count("[[subscribers]] #1") >= 3
    assert "max_itms" in answer.text.partition("<textarea")[2]
    assert now_of(site, ada) == ada


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[[subscribers]]\nemail = "emmy@example.org"\n',
        '[[subscribers]]\nemail = "ada@example.org"\n[[subscribers]]\nemail = "b@example.org"\n',
        '[service]\nbase_url = "http://localhost"\n',
        "\x00\x01",
        "a.b" * 9_000,
    ],
    ids=range(6),
)
def test_a_file_that_is_not_this_persons_profile_is_refused(
    site: Running, ada: Subscriber, text: str
) -> None:
    """Nobody else's settings, nor two people's, nor a config."""
    with session(site, ada) as browser:
        sent = {"mark": mark(browser), "toml": text}
        assert browser.post("/preferences/toml", data=sent).status_code == 422
    assert now_of(site, ada) == ada
    assert [one.email for one in site.app.store.subscribers()] == ["ada@example.org"]


# --- pause, leave, data -------------------------------------------------------------------------


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


# --- subscribers of the file --------------------------------------------------------------------

PERSON = """
[[subscribers]]
email = "ada@example.org"
[subscribers.keywords]
"flash attention" = 2
"""


def test_subscribers_of_the_file_see_where_it_is_edited(tmp_path: Path) -> None:
    """They see their settings, may pause and leave, and change nothing else here."""
    with running_site(tmp_path, people=PERSON) as site:
        ada = site.app.store.subscriber("ada@example.org")
        assert ada
        with session(site, ada) as browser:
            page = browser.get("/preferences").text
            assert "configuration file" in page
            assert "flash attention" in page
            assert 'name="term"' not in page
            sent = {"mark": mark(browser), "sure": "on", "toml": profile_toml(ada)}
            for path in ("", "/toml", "/erase"):
                assert browser.post(f"/preferences{path}", data=sent).status_code == 403
            assert now_of(site, ada) == ada
            browser.post("/preferences/pause", data=sent | {"until": "2026-12-24"})
        assert now_of(site, ada).state is SubscriberState.PAUSED
        moved = PERSON.replace('org"\n', 'org"\nsend_at = "09:00"\n')
        site.app.store.sync_file([subscriber(profile=profile())], NOW)
        assert moved != PERSON
        assert now_of(site, ada).state is SubscriberState.PAUSED


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", '"><img src=x>', "</textarea><b>"]
)
def test_x2_a_profile_is_escaped_on_its_page(site: Running, ada: Subscriber, payload: str) -> None:
    """Terms, authors and names of hostile people stay text in every field."""
    hostile = subscriber(
        origin=Origin.STORE,
        name=payload,
        profile=profile(keywords={payload: 1.0}, authors=(payload,), exclude=(payload,)),
    )
    site.app.store.put_subscriber(hostile, NOW)
    with session(site, ada) as browser:
        page = browser.get("/preferences").text
    assert payload not in page
