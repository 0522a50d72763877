"""The API: who may call what, what comes back, and how a refusal is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from digest.config.rows import SubscriberTable
from digest.formats import FORMATS
from digest.model import Origin, SubscriberState
from digest.web.api.own import MEDIA
from digest.web.api.shapes import ProfileShape
from tests.samples import NOW, listing, subscriber
from tests.web.api.conftest import Desk, key_for, stocked
from tests.web.running import running_site

KEYED = [
    ("GET", "/me"),
    ("GET", "/me/profile"),
    ("PUT", "/me/profile"),
    ("GET", "/me/digests"),
    ("GET", "/me/digests/2026-11-20"),
    ("GET", "/me/digests/2026-11-20/html"),
    ("POST", "/me/pause"),
    ("POST", "/me/resume"),
    ("POST", "/me/unsubscribe"),
]


@pytest.mark.parametrize(("method", "path"), KEYED)
@pytest.mark.parametrize("key", [None, "digest_guessed", "x" * 2_000])
def test_t1_without_a_key_nothing_personal_is_answered(
    desk: Desk, method: str, path: str, key: str | None
) -> None:
    """No key, or one that is not: 401 with a challenge, and nothing is changed."""
    more = {"json": {"until": "2026-12-24"}} if method != "GET" else {}
    answer = desk.ask(method, path, key, **more)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert desk.site.app.store.subscriber_by_id(desk.ada.id) == desk.ada


def test_t1_a_revoked_key_is_worthless(desk: Desk) -> None:
    """At once, and so is that of who erased their data."""
    store = desk.site.app.store
    other = key_for(desk.site, desk.ada)
    (first, _) = store.api_keys(desk.ada.id)
    assert not store.revoke_api_key(desk.ada.id + 1, first.id)
    assert store.revoke_api_key(desk.ada.id, first.id)
    assert desk.ask("GET", "/me").status_code == 401
    assert desk.ask("GET", "/me", other).status_code == 200
    store.erase(desk.ada.id, NOW)
    assert desk.ask("GET", "/me", other).status_code == 401


def test_t1_a_key_outlives_a_new_secret_and_is_not_kept(tmp_path: Path) -> None:
    """The store holds a keyed hash; a second secret before the first leaves it valid."""
    secret = tmp_path / "secret.key"
    secret.write_text("the-old-secret\n")
    with running_site(tmp_path) as site:
        key = stocked(site).key
    with closing(sqlite3.connect(tmp_path / "digest.db")) as db:
        assert not [line for line in db.iterdump() if key in line or key[7:] in line]
    secret.write_text("the-new-secret\nthe-old-secret\n")
    with running_site(tmp_path) as site, site.client(authorization=f"Bearer {key}") as client:
        assert client.get("/api/me").status_code == 200


def test_a_listing_is_found_by_its_key(desk: Desk) -> None:
    """Everybody may read it; one that is not stored is a 404."""
    found = desk.ask("GET", "/listing?key=arxiv:2606.00467", None)
    assert found.json()["title"] == "Flash Attention"
    assert desk.ask("GET", "/listing?key=arxiv:9999.99999", None).status_code == 404


def test_the_listings_of_a_day(desk: Desk) -> None:
    """Sorted, filtered and in parts; the days beside are named."""
    made = [
        listing(f"Paper {n}", votes=n, subjects=("cs.CL",), listed_on=NOW.date()) for n in range(5)
    ]
    older = listing("Older", listed_on=NOW.date() - timedelta(days=3))
    desk.site.app.store.add_listings([*made, older], [], {}, set(), NOW)
    path = "/days/2026-11-20?category=cs.CL&sort=votes&limit=2&offset=1"
    got = desk.ask("GET", path, None).json()
    assert [one["title"] for one in got["listings"]] == ["Paper 3", "Paper 2"]
    assert (got["total"], got["previous"], got["next"]) == (5, "2026-11-17", None)
    assert desk.ask("GET", "/days/2026-11-19", None).json()["total"] == 0
    for day in ("2026-1-1", "20261120", "0000-01-01", "9999-12-31", "today"):
        assert desk.ask("GET", f"/days/{day}", None).status_code == 422


def test_a_search_finds_what_the_pages_find(desk: Desk) -> None:
    """With the language of the pages; a fault in it comes with the nearest search."""
    got = desk.ask("GET", "/search?q=title:flash", None).json()
    assert [one["key"] for one in got["listings"]] == ["arxiv:2606.00467"]
    assert desk.ask("GET", "/search?q=zeolite", None).json() == {"total": 0, "listings": []}
    said = desk.ask("GET", '/search?q="flash', None).json()
    assert said["status"] == 422
    assert 'Did you mean "flash"?' in said["errors"][0]["detail"]


@pytest.mark.parametrize(
    "q", ['"', "*", "NEAR(", "col:", "-a", "%", "_", "');--", "a\x00b", "\u202e"]
)
def test_x8_a_search_is_never_sql(desk: Desk, q: str) -> None:
    """What means something to FTS5 or LIKE is words here, or a fault in words."""
    with desk.site.client() as client:
        assert client.get("/api/search", params={"q": q}).status_code in {200, 422}


def test_a_fault_names_the_field_and_the_nearest_right_form(desk: Desk) -> None:
    """In the query and in the body, all at once, as problem details (RFC 9457)."""
    answer = desk.ask("GET", "/listing?kee=x", None)
    assert answer.status_code == 422
    assert {"field": "kee", "detail": 'is no key here; did you mean "key"?'} in answer.json()[
        "errors"
    ]
    sent = {"max_itms": 3, "send_at": "7.30", "keywords": {"flash": "3"}, "days": ["mo"]}
    said = desk.ask("PUT", "/me/profile", json=sent).json()
    assert said["status"] == 422
    faults = {one["field"]: one["detail"] for one in said["errors"]}
    assert set(faults) == {"max_itms", "send_at", "keywords", "days"}
    assert 'did you mean "07:30"?' in faults["send_at"]
    assert 'did you mean "max_items"?' in faults["max_itms"]


def test_the_profile_goes_round_as_json(desk: Desk) -> None:
    """What is read can be written back, by the names of the TOML file; the rest has its default."""
    before = desk.ask("GET", "/me/profile").json()
    assert desk.ask("PUT", "/me/profile", json=before).json() == before
    assert desk.site.app.store.subscriber_by_id(desk.ada.id) == desk.ada
    changed = before | {"max_items": 3, "keywords": {"diffusion + policy": 2.5}, "per_day": 5}
    assert desk.ask("PUT", "/me/profile", json=changed).json() == changed
    one = desk.site.app.store.subscriber_by_id(desk.ada.id)
    assert one
    assert (one.profile.max_items, one.profile.per_day, one.email) == (3, 5, "ada@example.org")
    assert ProfileShape.model_fields.keys() == SubscriberTable.model_fields.keys()


def test_an_address_cannot_be_changed_by_a_key(desk: Desk) -> None:
    """It would need a confirmation of its own."""
    sent = {"email": "evil@example.org", "keywords": {"flash": 1}}
    answer = desk.ask("PUT", "/me/profile", json=sent)
    assert [one["field"] for one in answer.json()["errors"]] == ["email"]
    assert desk.site.app.store.subscriber("evil@example.org") is None


def test_settings_of_the_config_file_are_changed_there(tmp_path: Path) -> None:
    """Its subscribers read, pause and leave; a PUT is a 403."""
    with running_site(tmp_path) as site:
        desk = stocked(site)
        one = site.app.store.put_subscriber(subscriber("b@example.org", origin=Origin.FILE), NOW)
        key = key_for(site, one)
        assert desk.ask("GET", "/me/profile", key).status_code == 200
        assert desk.ask("PUT", "/me/profile", key, json={"max_items": 3}).status_code == 403
        assert site.app.store.subscriber_by_id(one.id) == one


@pytest.mark.parametrize("form", [*FORMATS])
def test_a_digest_comes_in_each_form(desk: Desk, form: str) -> None:
    """With its own content type; another day or form is refused."""
    answer = desk.ask("GET", f"/me/digests/2026-11-20/{form}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(MEDIA[form])
    assert "Flash Attention" in answer.text
    assert desk.ask("GET", f"/me/digests/2026-11-19/{form}").status_code == 404
    assert desk.ask("GET", "/me/digests/2026-11-20/docx").status_code == 422


def test_a_digest_says_why(desk: Desk) -> None:
    """Score, section and reasons of each listing; nobody else's digest can be had."""
    (pick,) = desk.ask("GET", "/me/digests/2026-11-20").json()["picks"]
    assert (pick["section"], pick["score"]) == ("for_you", 0.5)
    assert pick["reasons"] == [{"term": "flash attention", "field": "title", "points": 0.5}]
    emmy = desk.site.app.store.put_subscriber(subscriber("emmy@example.org"), NOW)
    other = key_for(desk.site, emmy)
    assert desk.ask("GET", "/me/digests/2026-11-20", other).status_code == 404
    assert desk.ask("GET", "/me/digests", other).json() == {"digests": []}


def test_pause_resume_and_leave(desk: Desk) -> None:
    """As on the page; who has left cannot pause, and a pause never brings anybody back."""
    paused = desk.ask("POST", "/me/pause", json={"until": "2026-12-24"}).json()
    assert (paused["state"], paused["paused_until"]) == ("paused", "2026-12-24T00:00:00Z")
    assert desk.ask("POST", "/me/pause", json={"until": "2026-11-20"}).status_code == 422
    assert desk.ask("POST", "/me/resume").json()["state"] == "active"
    assert desk.ask("POST", "/me/unsubscribe").json()["state"] == "unsubscribed"
    assert desk.ask("POST", "/me/pause", json={"until": "2026-12-24"}).status_code == 409
    assert desk.ask("POST", "/me/resume").json()["state"] == "unsubscribed"


def test_o5_a_signup_says_the_same_to_everybody(desk: Desk) -> None:
    """Known, new, unsubscribed: the same status and bytes, and nobody is active without a mail."""
    store = desk.site.app.store
    gone = store.put_subscriber(subscriber("gone@example.org", origin=Origin.STORE), NOW)
    store.set_state(gone.id, SubscriberState.UNSUBSCRIBED, NOW)
    said = set()
    for email in ("ada@example.org", "new@example.org", "gone@example.org"):
        sent = {"email": email, "keywords": {"flash attention": 2}}
        answer = desk.ask("POST", "/subscribers", None, json=sent)
        said.add((answer.status_code, answer.content))
    assert len(said) == 1
    assert {status for status, _ in said} == {202}
    assert store.subscriber("new@example.org") is None
    assert desk.site.woken


def test_o4_the_limits_of_the_form_hold_for_programs(tmp_path: Path) -> None:
    """One network signs up so many a day, whichever way; then 429."""
    with running_site(tmp_path, web="signups_per_network = 2") as site, site.client() as client:
        statuses = [
            client.post(
                "/api/subscribers", json={"email": f"a{n}@example.org", "keywords": {"x ray": 1}}
            ).status_code
            for n in range(3)
        ]
    assert statuses == [202, 202, 429]


def test_calls_are_limited_by_network_and_by_key(tmp_path: Path) -> None:
    """Beyond a limit: 429 with Retry-After; wrong keys count for the network; it passes."""
    with running_site(tmp_path, web="api_per_network = 3\napi_per_key = 5") as site:
        desk = stocked(site)
        keyed = [desk.ask("GET", "/me").status_code for _ in range(6)]
        assert keyed == [200] * 5 + [429]
        guessed = [desk.ask("GET", "/me", f"digest_{n}") for n in range(4)]
        assert [answer.status_code for answer in guessed] == [401] * 3 + [429]
        assert 0 < int(guessed[-1].headers["retry-after"]) <= 61
        assert desk.ask("GET", "/listing?key=x", None).status_code == 429
        site.pass_time(seconds=61)
        assert desk.ask("GET", "/me").status_code == 200
        assert desk.ask("GET", "/listing?key=x", None).status_code == 404


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": 1, "a": 2}', "application/json", 400),
        (b'{"email": "\\ud800"}', "application/json", 400),
        (b'{"min_score": NaN}', "application/json", 400),
        (b'{"min_score": 1e999}', "application/json", 422),
        (b'{"max_items": ' + b"9" * 5000 + b"}", "application/json", 400),
        (b"[" * 30_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"keywords": {"": 1}}', "application/json", 422),
        (b'{"email": ["x"], "keywords": 3}', "application/json", 422),
        (b'{"' + b"x" * 70_000 + b'": 1}', "application/json", 413),
        (b"{}", "application/json; charset=utf-16", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_t9_odd_bodies_are_refused_as_problems(
    desk: Desk, content: bytes, kind: str, status: int
) -> None:
    """Never a 5xx, always problem details."""
    with desk.site.client(**{"content-type": kind}) as client:
        answer = client.post("/api/subscribers", content=content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_t4_another_site_cannot_sign_anybody_up(desk: Desk) -> None:
    """A form of a page cannot send JSON, and no answer lets another origin read or preflight."""
    with desk.site.client(origin="https://evil.example") as client:
        plain = {"content-type": "text/plain"}
        assert client.post("/api/subscribers", content=b"{}", headers=plain).status_code == 415
        assert client.options("/api/subscribers").status_code == 405
        answer = client.get("/api/openapi.json")
    assert "access-control-allow-origin" not in answer.headers


def test_unknown_paths_and_methods_are_problems(desk: Desk) -> None:
    """Programs get JSON also where there is nothing; 405 names what there is."""
    assert desk.ask("GET", "/nothing").json()["status"] == 404
    answer = desk.ask("DELETE", "/me/profile")
    assert answer.status_code == 405
    assert {"GET", "PUT"} <= {one.strip() for one in answer.headers["allow"].split(",")}


def test_t3_no_answer_of_the_api_is_kept(desk: Desk) -> None:
    """What is personal stays out of caches."""
    assert desk.ask("GET", "/me/profile").headers["cache-control"] == "no-store"
