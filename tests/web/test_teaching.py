"""The keyword rows teach: what a keyword finds is said while someone types."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from digest.language.terms import parse
from digest.model import Origin
from digest.web.teaching import in_words
from tests.samples import NOW, listing, subscriber
from tests.waiting import WAIT_S
from tests.web.running import Running
from tests.web.sessions import session

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("speculative decoding", "“speculative decoding” in this order, with any ending"),
        ("agents", "“agents”, with any ending"),
        ("quantiz*", "what begins with “quantiz”"),
        ('"Flash Attention"', "exactly “flash attention”"),
        ("title:survey", "“survey” in the title, with any ending"),
        ("category:cs.*", "every category that begins with “cs.”"),
        ("source:arXiv", "the source “arxiv”"),
        ("author:Tri Dao", "the author “tri dao”"),
        ("a | b", "“a”, or “b”, with any ending"),
        ("maps + water", "“maps” and “water”, anywhere in a listing, with any ending"),
        ("x" * 100, f"“{'x' * 60}…”, with any ending"),
    ],
)
def test_a_keyword_is_put_in_words(keyword: str, words: str) -> None:
    """Each way of writing one has its own sentence."""
    assert in_words(parse(keyword)) == words


@pytest.fixture
def stocked(site: Running) -> Running:
    """A site with three listings."""
    made = [listing("Flash Attention"), listing("Rivers"), listing("Flash floods of rivers")]
    listed = [replace(one, listed_on=NOW.date()) for one in made]
    site.app.store.add_listings(listed, [], {"flash": 2, "attention": 1, "river": 2}, set(), NOW)
    return site


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("river", "“river”, with any ending. It fits 2 of the 3 listings of the last 30 days."),
        ("zeolite", "“zeolite”, with any ending. It fits none of the 3 listings of the last"),
        ("flash attention", "of the last 30 days, at least in part."),
    ],
)
def test_it_is_said_what_a_keyword_finds_and_how_often(
    stocked: Running, keyword: str, said: str
) -> None:
    """In words and a number, from the stored days."""
    with stocked.browser() as browser:
        answer = browser.get("/subscribe/keyword", params={"term": keyword})
    assert answer.status_code == 200
    assert said in answer.text


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("titel:x", "There is no field 'titel'; did you mean 'title:x'?"),
        ("", "The keyword is empty."),
        ("a*", "'a*' is too short a beginning: write 3 letters or more."),
        ("x" * 900, "A keyword has at most 200 characters, this has 900."),
    ],
)
def test_what_is_wrong_is_said_with_the_nearest_form(
    site: Running, keyword: str, said: str
) -> None:
    """As a fault of the keyword, in the config's own words."""
    with site.browser() as browser:
        answer = browser.get("/subscribe/keyword", params={"term": keyword})
    assert (answer.status_code, answer.text) == (422, said)


def test_x1_what_was_typed_comes_back_as_plain_text(site: Running) -> None:
    """No browser takes the answer for a page."""
    with site.browser() as browser:
        answer = browser.get("/subscribe/keyword", params={"term": "<script>alert(1)</script>:x"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_nobody_waits_for_a_count(stocked: Running) -> None:
    """While a forecast is made the sentence comes without its number."""
    with stocked.site.forecasting, stocked.browser() as browser:
        answer = browser.get("/subscribe/keyword?term=river", timeout=WAIT_S)
    assert answer.text == "Finds “river”, with any ending."


def test_t8_only_the_keyword_rows_have_a_script(site: Running) -> None:
    """One file of ours, on the two pages of the form; no other page may run any."""
    one = site.app.store.put_subscriber(subscriber("ada@example.org", origin=Origin.STORE), NOW)
    with session(site, one) as browser:
        forms = [browser.get("/subscribe"), browser.get("/preferences")]
        today, script = browser.get("/"), browser.get("/form.js")
    for form in forms:
        assert re.findall("<script.*", form.text) == ['<script src="/form.js"></script>']
        assert "script-src 'self'" in form.headers["content-security-policy"]
        assert "unsafe" not in form.headers["content-security-policy"]
    assert "script-src" not in today.headers["content-security-policy"]
    assert "<script" not in today.text
    assert script.headers["content-type"].startswith("text/javascript")


# --- in a browser -------------------------------------------------------------------------------


@pytest.fixture
def page(stocked: Running) -> Iterator[Page]:
    """The form in a Chromium with scripts; what goes wrong in a script fails the test."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium (Debian package chromium)")
    faults: list[object] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--disable-quic"])
        opened = browser.new_page(base_url=stocked.url)
        opened.set_default_timeout(30_000)
        opened.on("pageerror", lambda fault: faults.append(fault))  # noqa: PLW0108  # it takes no builtin
        yield opened
        browser.close()
    assert not faults


def test_typing_teaches_and_there_is_always_an_empty_row(page: Page) -> None:
    """The sentence stands under its keyword; a fault is marked, and goes when it is mended."""
    page.goto("/subscribe")
    first = page.get_by_label("Keyword 1", exact=True)
    first.fill("titel:river")
    page.get_by_text("did you mean 'title:river'?").wait_for()
    assert first.get_attribute("aria-invalid") == "true"
    first.fill("title:river")
    page.get_by_text("Finds “river” in the title, with any ending. It fits 2 of the 3").wait_for()
    assert first.get_attribute("aria-invalid") == "false"
    page.get_by_label("Keyword 5", exact=True).fill("zeolite")
    page.get_by_text("It fits none of the 3 listings").wait_for()
    assert page.get_by_label("Keyword 6", exact=True).input_value() == ""
    assert page.get_by_label("Weight 6", exact=True).count() == 1
    first.fill("")
    page.get_by_text("Finds “river” in the title").wait_for(state="detached")


def test_more_rows_come_without_leaving_the_page(page: Page) -> None:
    """Five, and the first of them is ready to be typed in; what was typed stays."""
    page.goto("/subscribe")
    page.get_by_label("Keyword 1", exact=True).fill("river")
    page.get_by_role("button", name="More rows").click()
    assert page.locator('input[name="term"]').count() == 10
    page.keyboard.type("attention")
    assert page.get_by_label("Keyword 6", exact=True).input_value() == "attention"
    assert page.get_by_label("Keyword 1", exact=True).input_value() == "river"
