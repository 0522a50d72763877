"""The listings by day, week and month: what a visitor reads, with any browser."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape

import html5lib
import pytest

from digest.model import Link, Listing
from tests.samples import NOW, listing
from tests.web.running import Running

TODAY = NOW.date()
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> --> <![endif]--> ]]> \"' {{ 7*7 }} "
    "<swi> </title></style> &lt;b&gt; \u202eabc"
)


def store(site: Running, *listings: Listing) -> None:
    """Store listings as of now."""
    site.app.store.add_listings(listings, [], {}, (), NOW)


def get(site: Running, path: str, status: int = 200) -> str:
    """A page, as a bare client gets it; it keeps less than 50 kB."""
    with site.client() as client:
        answer = client.get(path)
    assert answer.status_code == status, path
    assert len(answer.content) < 50_000
    assert "<script" not in answer.text
    return answer.text


def titles(page: str) -> list[str]:
    """The titles of the listings on a page."""
    return [unescape(re.sub("<[^>]*>", "", t)) for t in re.findall(r"<h2[^>]*>(.*?)</h2>", page)]


def links(page: str, rel: str) -> list[str]:
    """Where the links of a kind lead."""
    found = re.findall(rf'<a class="action" href="([^"]*)" rel="{rel}">', page)
    return [unescape(one) for one in found]


def test_a_listing_is_shown_with_all_that_is_known(site: Running) -> None:
    """Title without TeX, who, source, day, votes, comments, abstract, links that are safe."""
    store(
        site,
        listing(
            "Bounds of $O(n^2)$ by L\\'evy",
            abstract="One. Two. Three. Four is the last.",
            authors=("Emmy Noether", "Ada Lovelace"),
            url="https://example.org/1",
            published_at=NOW - timedelta(days=1),
            votes=12,
            comments=1,
            subjects=("cs.CL",),
            also_in=("other",),
            links=(Link("pdf", "https://example.org/1.pdf"), Link("code", "javascript:alert(1)")),
        ),
    )
    page = get(site, f"/{TODAY - timedelta(days=1)}")
    assert titles(page) == ["Bounds of O(n²) by Lévy"]
    assert '<a href="https://example.org/1">' in page
    meta = "Noether, Lovelace · test, also in other · 19 Nov · 12 votes · 1 comment"
    assert meta in page.replace("\u00a0", " ")
    assert "One. Two. Three.\u00a0…" in page
    assert "Four is the last." in page.partition("<details>")[2]
    assert "Emmy Noether, Ada Lovelace" in page
    assert 'href="https://example.org/1.pdf"' in page
    assert "javascript:" not in page


def test_the_front_page_is_today_with_the_call_to_subscribe(site: Running) -> None:
    """In the zone of the service; where nothing came yet, the newest day, and it says so."""
    page = get(site, "/")
    assert "Friday 20 November 2026" in page
    assert "Nothing is listed for these days." in page
    assert '<a class="button" href="/subscribe">Subscribe</a>' in page
    store(site, listing("old", listed_on=TODAY - timedelta(days=2)))
    page = get(site, "/")
    assert "Wednesday 18 November 2026" in page
    assert "This is the newest day." in page
    store(site, listing("new"))
    assert titles(get(site, "/")) == ["new"]


def test_days_weeks_and_months_lead_to_each_other(site: Running) -> None:
    """To the nearest ones with listings, so that no robot walks for ever."""
    for day in (date(2025, 12, 31), date(2026, 11, 12), TODAY):
        store(site, listing(f"of {day}", listed_on=day))
    page = get(site, "/2026-11-12")
    assert (links(page, "prev"), links(page, "next")) == (["/2025-12-31"], ["/2026-11-20"])
    assert 'href="/week/2026-W46"' in page
    assert 'href="/month/2026-11"' in page
    page = get(site, "/week/2026-W46")
    assert titles(page) == ["of 2026-11-12"]
    assert (links(page, "prev"), links(page, "next")) == (["/week/2026-W01"], ["/week/2026-W47"])
    assert titles(get(site, "/week/2026-W01")) == ["of 2025-12-31"]
    page = get(site, "/month/2026-11")
    assert len(titles(page)) == 2
    assert (links(page, "prev"), links(page, "next")) == (["/month/2025-12"], [])
    assert titles(get(site, "/month/2026-10")) == []


@pytest.mark.parametrize(
    "path",
    [
        "/2026-02-30", "/2026-2-3", "/20261120", "/2026-W47-1", "/0001-01-01", "/9999-12-31",
        "/none", "/week/2026-W54", "/week/2026-47", "/month/2026-13", "/month/2026",
        "/week/2026-W47-1", "/%ff", "/2026-11-20%00", "/٢٠٢٦-١١-٢٠", "/month/" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_day_is_not_found(site: Running, path: str) -> None:
    """404, and a page has one address."""
    get(site, path, 404)


def test_a_page_is_sorted_and_filtered_by_its_address(site: Running) -> None:
    """By a form that works without scripts, and its choice stays in the links to further pages."""
    store(
        site,
        *(listing(f"n{n:02}", votes=n, subjects=("a & b",), source="S") for n in range(30)),
        listing("other"),
    )
    page = get(site, "/2026-11-20?sort=votes&source=S&category=a+%26+b")
    assert titles(page)[:2] == ["n29", "n28"]
    assert "30 listings" in page
    assert '<option value="a &amp; b" selected>' in page
    (on,) = links(page, "next")
    page = get(site, on)
    assert titles(page)[-1] == "n00"
    assert links(page, "next") == []
    assert titles(get(site, links(page, "prev")[0]))[0] == "n29"
    assert get(site, "/2026-11-20?sort=votes&category=none").count("Nothing of these days") == 1
    assert len(titles(get(site, "/2026-11-20?sort=rising"))) == 20


@pytest.mark.parametrize(
    "query",
    [
        "from=-1", "from=x", "from=٣", "from=99999999999999999999", "sort=x", "sort=best",
        "source=%00", "source=%ff&category=%27%3B--", "from=1&from=2", "category=" + "x" * 5000,
        "=&&&;", "sort[]=1",
    ],
)  # fmt: skip
def test_x8_odd_queries_are_passed_over(site: Running, query: str) -> None:
    """A page comes all the same."""
    store(site, listing("x"))
    get(site, f"/2026-11-20?{query}")


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_days_take_no_other_page_s_place(site: Running, path: str) -> None:
    """A day's path is none of those that have names."""
    with site.client() as client:
        assert "That did not work" not in client.get(path).text


def hostile(number: int) -> Listing:
    """A listing with markup in every field, and as long as the sources let one be."""
    url = "https://example.org/" + "&" * 1900
    return listing(
        f"{EVIL} {number} " + "&" * 3000,
        key=f"title:{number}",
        abstract=EVIL + '"&' * 20_000,
        authors=tuple(f"{EVIL} {n}" for n in range(200)),
        organization=EVIL,
        source=EVIL[:70],
        also_in=(EVIL[:60],),
        url=url,
        subjects=tuple(f"{EVIL[:60]}{n}" for n in range(90)),
        links=tuple(Link(kind, f"{url}{kind}") for kind in ("pdf", "code", "project", "comments")),
        note=EVIL,
    )


@pytest.mark.parametrize("path", ["/", "/week/2026-W47", "/search?q=alert", "/search?q=title:swi"])
def test_x1_x2_x3_x4_hostile_listings_are_text(site: Running, path: str) -> None:
    """Markup is shown, not obeyed, in no page of any size; every listing is on some page."""
    store(site, *map(hostile, range(12)))
    seen: list[str] = []
    pages = 0
    while path:
        page = get(site, path)
        for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
            assert isinstance(element.tag, str), "a comment"
            assert element.tag not in {"script", "img", "swi", "b"} or not element.attrib
            names = set(element.attrib)
            assert not {name for name in names if name.startswith("on") or name == "style"}
            assert re.match(r"(?:https?:|/|#|mailto:)", element.get("href", "#"))
            assert not re.search("alert|swi", element.get("class", "") + element.get("id", ""))
        assert "\u202e" not in page
        seen += titles(page)
        path, pages = next(iter(links(page, "next")), ""), pages + 1
    assert len(seen) == 12
    assert pages > 1
    assert "<swi>" in seen[0]


def test_looking_changes_nothing(site: Running) -> None:
    """GET and HEAD write nothing into the database."""
    store(site, listing("x", votes=3))
    before = list(site.app.store.db.conn.iterdump())  # type: ignore[attr-defined]  # SQLite's own
    with site.client() as client:
        for path in ("/", "/2026-11-20?sort=rising", "/week/2026-W47", "/search?q=x"):
            client.get(path)
            assert client.head(path).status_code == 200
            assert client.post(path).status_code == 405
    assert list(site.app.store.db.conn.iterdump()) == before  # type: ignore[attr-defined]  # as above


def test_t3_pages_may_be_kept_for_a_minute_and_bear_the_headers(site: Running) -> None:
    """They are the same for everybody; nothing else of the strict headers is given up."""
    with site.client() as client:
        answer = client.get("/")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/", "/2026-11-20", "/search", "/search?q=x", "/search?q=autor:x"]
)
def test_a_page_can_be_found_one_s_way_in(site: Running, path: str) -> None:
    """One main, one h1, named navigations, a label for each field, headings in order."""
    store(site, *(listing(f"x {n}", abstract="x.") for n in range(25)))
    page = get(site, path, 422 if "autor" in path else 200)
    assert (page.count("<main"), page.count("<h1>")) == (1, 1)
    assert all("aria-label" in tag for tag in re.findall(r"<nav[^>]*>", page))
    fields = re.findall(r'<(?:input|select)[^>]*\bid="([^"]*)"', page)
    assert fields
    assert all(f'<label for="{name}">' in page for name in fields)
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert "<h3" not in page
