"""What every answer says, and what no request may do."""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from digest.web.guard import HEADERS, is_cross_site, origin_of, read_form
from tests.web.running import Running, running_site

NAMELESS = b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"
URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/unsubscribe/x", "/none", "/style.css", "/%ff", "/unsubscribe/"])
def test_t3_t8_every_answer_bears_the_headers(site: Running, path: str) -> None:
    """Strict CSP, nosniff and no-referrer stand on pages, faults and the style sheet."""
    with site.client() as client:
        answer = client.get(path)
    for name, value in HEADERS.items():
        if (path, name) != ("/style.css", "cache-control"):
            assert answer.headers[name] == value
    assert "server" not in answer.headers
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_t9_a_large_body_is_refused(site: Running) -> None:
    """64 kB and not more, whether the length is told or not."""
    with site.client() as client:
        assert client.post("/unsubscribe/x", content=b"x" * 65_536).status_code == 200
        assert client.post("/unsubscribe/x", content=b"x" * 65_537).status_code == 413
        chunks = (b"x" * 10_000 for _ in range(8))
        assert client.post("/unsubscribe/x", content=chunks).status_code == 413


def read(headers: dict[str, str], body: bytes) -> list[tuple[str, str]]:
    """The fields of a body."""
    form = asyncio.run(read_form(Headers(headers), body))
    return [(name, str(value)) for name, value in form.multi_items()]


def test_forms_of_both_kinds_are_read() -> None:
    """Urlencoded and multipart give the same fields."""
    assert read(URLENCODED, b"a=%C3%A9+1&a=2&b=") == [("a", "é 1"), ("a", "2"), ("b", "")]
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xc3\xa9 1\r\n--x--\r\n'
    assert read({"content-type": "multipart/form-data; boundary=x"}, body) == [("a", "é 1")]
    assert read(URLENCODED, b"") == []


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (URLENCODED, b"a=%ff%fe"),
        (URLENCODED, b"a=\xff\xfe"),
        (URLENCODED, b"&".join(b"a=1" for _ in range(2000))),
        ({"content-type": "application/x-www-form-urlencoded; charset=utf-16"}, b"a=1"),
        ({"content-type": "multipart/form-data"}, b"--x"),
        ({"content-type": "multipart/form-data; boundary=x"}, b"\x00\xff--y\r\n"),
        ({"content-type": "multipart/form-data; boundary=x"}, NAMELESS),
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": "\x00"}, b"a=1"),
        ({}, b"a=1"),
    ],
    ids=range(10),
)  # fmt: skip
def test_t9_odd_bodies_are_refused_in_words(headers: dict[str, str], body: bytes) -> None:
    """What is no form in UTF-8 is a 400 or 415, never a trace."""
    with pytest.raises(HTTPException) as refused:
        read(headers, body)
    assert refused.value.status_code in {400, 415}


@pytest.mark.parametrize(
    ("headers", "crosses"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"origin": "https://digest.example.org"}, False),
        ({"origin": "https://evil.example"}, True),
        ({"origin": "https://digest.example.org.evil.example"}, True),
        ({"origin": "http://digest.example.org"}, True),
    ],
)
def test_t4_a_form_of_another_site_is_known(headers: dict[str, str], crosses: bool) -> None:
    """Sec-Fetch-Site decides, Origin where it is not sent."""
    assert is_cross_site(Headers(headers), "https://digest.example.org/below") is crosses


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Digest.Example.org/a", "https://digest.example.org"),
        ("https://digest.example.org:443", "https://digest.example.org"),
        ("http://localhost:8080/a", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_origin_is_written_as_browsers_do(url: str, origin: str) -> None:
    """Lower case, and without the usual port."""
    assert origin_of(url) == origin


ELSEWHERE = ("//evil.example", "https:evil.example", "/\\evil.example")
SLASHED = ("/subscribe/", "/admin/", "/2026-11-20/", "/unsubscribe/x/", "/api/openapi.json/")
NEXT = tuple(f"/subscribe?next={target}&url={target}" for target in ELSEWHERE)


@pytest.mark.parametrize("path", [*ELSEWHERE, *(f"{one}/" for one in ELSEWHERE), *SLASHED, *NEXT])
@pytest.mark.parametrize("base_url", ["http://localhost", "http://localhost/digest"])
def test_t5_t6_no_path_leads_to_another_site(tmp_path: Path, path: str, base_url: str) -> None:
    """Whatever the path, its query and the Host say, nothing is answered with a redirect."""
    with running_site(tmp_path, base_url=base_url) as site:
        for below in ("", site.site.prefix):
            status, target = seen(site, below + path)
            assert (status, target) in {(200, None), (404, None)}


def test_t6_the_front_page_below_a_path_is_found_without_its_slash(tmp_path: Path) -> None:
    """The one redirect that looking meets is relative to the site, whatever the Host says."""
    with running_site(tmp_path, base_url="http://localhost/digest") as site:
        assert seen(site, "/digest") == (303, "/digest/")
        assert seen(site, "/digest/") == (200, None)


def seen(site: Running, path: str) -> tuple[int, str | None]:
    """The status of an answer, and where it leads; the path is sent as it stands."""
    connection = HTTPConnection("127.0.0.1", int(site.url.rpartition(":")[2]), timeout=30)
    try:
        connection.request("GET", path, headers={"host": "evil.example"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("location")
    finally:
        connection.close()
