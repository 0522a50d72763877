"""Preferences: the form, the same as TOML, and who may change what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from digest.config import profile_toml
from digest.model import Origin, Subscriber, SubscriberState
from tests.samples import NOW, profile, subscriber
from tests.web.running import Running, running_site
from tests.web.sessions import form, mark, now_of, session


@pytest.fixture
def ada(site: Running) -> Subscriber:
    """A subscriber of the store."""
    return site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)


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
