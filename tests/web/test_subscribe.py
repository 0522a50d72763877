"""Signing up and confirming: no scanner confirms, and what is kept goes in its time."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from digest import jobs, mailroom
from digest.mailer import EmlFolder
from digest.model import Origin, SubscriberState
from tests.samples import subscriber
from tests.web.running import Running, fields_of, running_site
from tests.web.signups import CHECK, ask, fields, gathered, letters, link_of, text_of


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    """A site that lets through as many as a test wants."""
    with running_site(tmp_path, web="signups_per_network = 10000\nsignups_per_hour = 10000") as one:
        yield one


def test_the_form_of_the_page_subscribes(site: Running) -> None:
    """Open the page, fill in two fields, press, follow the mail, press again: subscribed."""
    with site.browser() as browser:
        page = browser.get("/subscribe")
        sent = [(k, v) for k, v in fields_of(page.text) if k not in {"email", "more"}]
        sent = [(k, "C++ * x" if (k, at) == ("term", 1) else v) for at, (k, v) in enumerate(sent)]
        site.pass_time(seconds=20)
        first = {"email": "Ada@Example.org"}
        filled = [(k, v) for k, v in sent if k != "term"] + [("term", "diffusion + policy")]
        answer = browser.post("/subscribe", data=gathered(filled) | first)
        assert answer.status_code == 200
        assert CHECK in answer.text
        (letter,) = letters(site)
        assert letter["To"] == "Ada@example.org"
        path = link_of(letter)
        asked = browser.get(path)
        assert "diffusion + policy" in asked.text
        done = browser.post(path)
    assert "You are subscribed" in done.text
    one = site.app.store.subscriber("Ada@example.org")
    assert one
    assert one.state is SubscriberState.ACTIVE
    assert one.origin is Origin.STORE
    assert [k.term for k in one.profile.keywords] == ["diffusion + policy"]


def test_o1_one_letter_and_no_digest_until_confirmed(site: Running) -> None:
    """Three days go by without a second letter, and nobody is due."""
    ask(site)
    assert len(letters(site)) == 1
    for _ in range(3):
        site.pass_time(days=1)
        assert not letters(site)
        assert not site.app.store.due(site.now, 10, at_once=True)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_o2_u2_a_scanner_confirms_nobody(site: Running, method: str) -> None:
    """Fetching every link of the letter twice leaves the sign-up as it was."""
    ask(site)
    (letter,) = letters(site)
    with site.browser() as browser:
        for _ in range(2):
            assert browser.request(method, link_of(letter)).status_code == 200
    assert site.app.store.subscriber("ada@example.org") is None


def test_o3_the_letter_bears_no_word_of_the_visitor(site: Running) -> None:
    """Keywords, authors and exclusions of the form stand in no part of the letter."""
    ask(site, term="Buy pills", authors="Evil Words", exclude="http evil example")
    (letter,) = letters(site)
    for word in ("pills", "Evil", "evil"):
        assert word not in letter.as_string()
        for part in letter.walk():
            if not part.is_multipart():
                assert word not in part.get_content()


def test_m13_m14_the_letter_says_that_a_program_wrote_it(site: Running) -> None:
    """Auto-Submitted and its like are there, Precedence and List fields are not; B1, B3 as well."""
    ask(site)
    (letter,) = letters(site)
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Auto-Response-Suppress"] == "All"
    assert letter["Precedence"] is None
    assert not [name for name in letter.keys() if name.lower().startswith("list-")]  # noqa: SIM118 - a message is no mapping
    assert [part.get_content_type() for part in letter.iter_parts()] == ["text/plain", "text/html"]
    html = letter.get_body(("html",))
    assert html
    for word in ("<script", "<img", "<form", "url(", "http-equiv"):
        assert word not in html.get_content()
    assert html.get_content().count(link_of(letter)) >= 2


def test_a_subscriber_who_signs_up_gets_a_way_in(site: Running) -> None:
    """Their settings stay; the letter leads to the preferences and no sign-up can be confirmed."""
    site.app.store.put_subscriber(subscriber(origin=Origin.STORE), site.now)
    ask(site, term="something else")
    (letter,) = letters(site)
    assert "/preferences/" in link_of(letter)
    assert "/confirm/" not in text_of(letter)


def test_o6_what_proves_the_consent_is_kept(site: Running) -> None:
    """Times, the form's version and the masked network of the client, once, after confirming."""
    ask(site)
    asked_at = site.now
    path = link_of(letters(site)[0])
    site.pass_time(hours=1)
    with site.browser() as browser:
        for _ in range(2):
            assert "You are subscribed" in browser.post(path).text
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        rows = db.execute("SELECT form, client, asked_at, confirmed_at FROM consents").fetchall()
    assert len(rows) == 1
    form, client, asked, confirmed = rows[0]
    assert form
    assert client == "127.0.0.0/24"
    assert asked == asked_at.isoformat(timespec="microseconds")
    assert confirmed == site.now.isoformat(timespec="microseconds")


def test_o7_a_link_works_for_48_hours_and_a_sign_up_lasts_7_days(site: Running) -> None:
    """Too late, the page says so and nothing happens; after a week nothing is left to find."""
    ask(site)
    path = link_of(letters(site)[0])
    site.pass_time(hours=48, seconds=10)
    with site.browser() as browser:
        for method in ("GET", "POST"):
            answer = browser.request(method, path)
            assert answer.status_code == 410
            assert "48 hours" in answer.text
    jobs.tidy(site.app, site.now)
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        assert db.execute("SELECT count(*) FROM signups").fetchone() == (1,)
        site.pass_time(days=6)
        jobs.tidy(site.app, site.now)
        assert db.execute("SELECT count(*) FROM signups").fetchone() == (0,)
        assert "ada@example.org" not in "".join(db.iterdump())


def test_o7_d3_no_trace_of_who_asked_is_left_after_30_days(site: Running) -> None:
    """Letters and the limits' counts are gone, and no address with them."""
    ask(site)
    letters(site)
    site.pass_time(days=31)
    jobs.tidy(site.app, site.now)
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        for table in ("letters", "tries", "signups", "used_links"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608


def test_o9_a_domain_that_takes_no_mail_is_not_written_to(tmp_path: Path) -> None:
    """The answer is the usual one; the letter is closed without a word to the relay."""
    with running_site(tmp_path) as site:
        web = site.app.config.web.model_copy(update={"check_domains": True})
        site.app.config = site.app.config.model_copy(update={"web": web})
        for email in ("a@nullmx.example", "b@good.example"):
            assert CHECK in ask(site, email).text

        async def reaches(domain: str) -> bool:
            return domain != "nullmx.example"

        asyncio.run(mailroom.send_letters(site.app, lambda: site.now, reaches=reaches))
        assert isinstance(site.app.mailer, EmlFolder)
        assert [path.name for path in site.app.mailer.written] == ["b@good.example.eml"]
        with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
            states = dict(db.execute("SELECT recipient, state FROM letters"))
    assert states == {"a@nullmx.example": "refused", "b@good.example": "sent"}


def test_o10_case_of_the_domain_makes_no_second_person(site: Running) -> None:
    """`Ada@EX.org` and `Ada@ex.org` are one sign-up, the local part as typed."""
    for email in ("Ada@EXAMPLE.org", "Ada@example.ORG"):
        ask(site, email)
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        rows = db.execute("SELECT address_key FROM signups").fetchall()
    assert rows == [("Ada@example.org",)]


def test_u8_coming_back_takes_a_new_confirmation(site: Running) -> None:
    """Who left and signs up again is mailed only after confirming again."""
    store = site.app.store
    one = store.put_subscriber(subscriber(origin=Origin.STORE), site.now)
    store.set_state(one.id, SubscriberState.UNSUBSCRIBED, site.now)
    ask(site, term="new interest")
    again = store.subscriber("ada@example.org")
    assert again
    assert again.state is SubscriberState.UNSUBSCRIBED
    with site.browser() as browser:
        browser.post(link_of(letters(site)[0]))
    again = store.subscriber("ada@example.org")
    assert again
    assert again.state is SubscriberState.ACTIVE
    assert [k.term for k in again.profile.keywords] == ["new interest"]


def test_t5_links_are_never_built_from_the_host(site: Running) -> None:
    """A forged Host or X-Forwarded-Host at sign-up leaves the letter's link ours."""
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    with site.client(**forged) as client:
        page = client.post("/subscribe", data=fields(site))
    assert "evil" not in page.text
    (letter,) = letters(site)
    assert "evil" not in text_of(letter)
    assert link_of(letter).startswith("/confirm/")


def test_t3_no_address_stands_in_any_link(site: Running) -> None:
    """The path of a letter's link tells nobody whose it is."""
    ask(site)
    assert not {"ada", "example", "%40", "@"} & set(re.split(r"[/.]", link_of(letters(site)[0])))


def test_t4_a_form_from_another_site_is_refused(site: Running) -> None:
    """A page elsewhere cannot send this form through a visitor's browser."""
    with site.client(**{"sec-fetch-site": "cross-site"}) as client:
        answer = client.post("/subscribe", data=fields(site))
    assert answer.status_code == 403
    assert not letters(site)


def test_all_faults_come_back_at_once_with_what_was_typed(site: Running) -> None:
    """Each wrong field is named, marked and still there."""
    answer = ask(
        site,
        "no address",
        term="(((",
        weight="heavy",
        timezone="Europe/Londn",
        send_at="25:00",
        max_items="0",
        min_score="2",
        exclude="**",
    )
    assert answer.status_code == 422
    for label in ("Address", "Keyword", "Time zone", "Hour", "At most", "Floor", "Never show"):
        assert f"<b>{label}:</b>" in answer.text
    kept = dict(fields_of(answer.text))
    assert kept["email"] == "no address"
    assert kept["max_items"] == "0"
    assert "reader@example.org" not in answer.text
    assert not letters(site)


def test_more_rows_come_without_a_script(site: Running) -> None:
    """The button gives empty rows and keeps what was typed, however wrong."""
    answer = ask(site, "not yet", term="kept words", more="1")
    assert answer.status_code == 200
    names = [name for name, _ in fields_of(answer.text)]
    assert names.count("term") == 11
    assert ("term", "kept words") in fields_of(answer.text)
    assert 'role="alert"' not in answer.text


@pytest.mark.parametrize(
    "payload",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}", "\u202ex"],
)
def test_x2_what_a_visitor_typed_is_escaped(site: Running, payload: str) -> None:
    """Payloads in every field come back as text, on the form and on the page that confirms."""
    names = ("email", "term", "weight", "timezone", "send_at", "max_items", "authors", "exclude")
    with site.browser() as browser:
        answer = browser.post("/subscribe", data=fields(site) | dict.fromkeys(names, payload))
        assert "<script>" not in answer.text
        assert "<img" not in answer.text
        assert "49" not in answer.text.partition("faults")[2].partition("</div>")[0]
        page = browser.get("/subscribe", params={"keyword": payload})
        assert "<script>" not in page.text
        assert "<img" not in page.text


def test_the_bare_address_leads_to_the_form(site: Running) -> None:
    """Whoever types the name of the service alone finds where to subscribe."""
    with site.browser() as browser:
        page = browser.get("/").text
    assert '<a class="button" href="/subscribe">' in page


def test_the_address_fills_keywords_weights_and_exclusions(site: Running) -> None:
    """A search becomes rows of the form; what is missing or too much counts for nothing."""
    asked = {
        "keyword": ["flash attention", "<b>"], "weight": ["3"], "exclude": ["survey"],
    }  # fmt: skip
    with site.browser() as browser:
        fields = fields_of(browser.get("/subscribe", params=asked).text)
    rows = [value for name, value in fields if name in {"term", "weight"} and value]
    assert rows == ["flash attention", "3", "<b>", "1"]
    assert ("exclude", "survey") in fields


def test_every_page_is_small(site: Running) -> None:
    """The largest page, with 500 keywords, is a page still; the usual ones are under 50 kB."""
    with site.browser() as browser:
        assert len(browser.get("/subscribe").content) < 50_000
        assert len(browser.get("/style.css").content) < 10_000
