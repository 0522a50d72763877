"""Searching: what is found, what is told kindly, and a search as a subscription."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.samples import NOW, listing
from tests.web.running import Running, fields_of
from tests.web.test_days import get, links, store, titles


@pytest.fixture
def stocked(site: Running) -> Running:
    """A site with 25 papers on flash attention and one on rivers."""
    many = [listing(f"Flash attention {n}", abstract="Tiles & <b>.") for n in range(25)]
    store(site, *many, listing("Rivers", abstract="They flash in the sun."))
    return site


def test_a_search_finds_and_marks(stocked: Running) -> None:
    """What was looked for is marked, the rest of the text is text."""
    page = get(stocked, "/search?q=title:attention+tile")
    assert "25 listings." in page
    assert "Flash <mark>attention</mark> " in page
    assert "<mark>Tiles</mark> &amp; &lt;b&gt;." in page
    assert 'value="title:attention tile"' in page


def test_a_search_has_pages_and_orders(stocked: Running) -> None:
    """The links keep the search and its order."""
    page = get(stocked, "/search?q=flash&sort=newest")
    assert titles(page)[0] == "Rivers"
    (on,) = links(page, "next")
    assert on == "/search?q=flash&sort=newest&from=20"
    assert len(titles(get(stocked, on))) == 6
    assert titles(get(stocked, "/search?q=flash"))[-1] != "Rivers"
    assert "There are no more." in get(stocked, "/search?q=flash&from=900")


def test_nothing_asked_and_nothing_found(stocked: Running) -> None:
    """The empty form, and a plain word where nothing is found."""
    assert "listings." not in get(stocked, "/search")
    assert "listings." not in get(stocked, "/search?q=+")
    assert "Nothing was found." in get(stocked, "/search?q=zeolite")


def test_a_fault_is_told_kindly(stocked: Running) -> None:
    """With the nearest search that can be made, as a link, and the field as it was."""
    page = get(stocked, "/search?q=titel:%22flash%20attention%22", 422)
    assert "There is no field “titel”. Did you mean" in page
    found = re.search(r'Did you mean <a href="([^"]*)"', page)
    assert found
    assert len(titles(get(stocked, unescape(found[1])))) == 20
    assert 'value="titel:&#34;flash attention&#34;"' in page


@pytest.mark.parametrize(
    "text",
    [
        "*", '"', '""', "NEAR(a b)", "a NEAR/2 b", "col:", "-a", "%", "_", "');--", "{title}:a",
        "^a", "a AND", "OR", "((((", "<script>alert(1)</script>", "{{7*7}}", "\x00", "a" * 5000,
        "深度学习*", "abc*" * 40, "\u202e", "🙂", "title:" * 20, "a:b:c", '"' * 99, "\\",
        "x OR " * 15, "'", "--",
    ],
)  # fmt: skip
def test_x8_a_hostile_search_is_a_page(stocked: Running, text: str) -> None:
    """Found, not found, or a fault in words; never an error of ours."""
    with stocked.client() as client:
        answer = client.get("/search", params={"q": text})
    assert answer.status_code in {200, 422}
    assert len(answer.content) < 50_000
    assert "<script" not in answer.text
    assert "49" not in answer.text or "{{7*7}}" not in text


def test_a_search_becomes_a_subscription(stocked: Running) -> None:
    """The form opens with the search as weighted keywords; nothing is kept before it is sent."""
    page = get(stocked, "/search?q=flash+attention+-rivers")
    found = re.search(r'<a class="button quiet" href="([^"]*)">Subscribe to this search', page)
    assert found
    with stocked.browser() as browser:
        fields = fields_of(browser.get(unescape(found[1])).text)
    rows = [value for name, value in fields if name in {"term", "weight"} and value]
    assert rows == ["flash attention", "3", "flash + attention", "1"]
    assert ("exclude", "rivers") in fields
    assert "Subscribe to this search" not in get(stocked, "/search?q=arXiv:2606.00467")
    assert not stocked.app.store.subscribers()
    assert stocked.now == NOW
