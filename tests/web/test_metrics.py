"""Metrics: the figures of a scripted day, who may read them, and what never stands in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from digest.errors import ConfigError
from digest.mailer import Relay, SmtpMailer
from digest.model import DeliveryState, Sent, SourceRun, SubscriberState
from digest.store.returned import Mailed, What
from digest.web import check_tokens
from digest.web.pulse import Pulse
from tests.samples import FRAME, NOW, digest_of, listing, subscriber
from tests.store.steps import claim, close
from tests.web.running import Running, running_site

TOKEN = "a-token-that-nobody-guesses"

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> Samples:
    """(name, values of the labels in the order of their names) -> value."""
    return {
        (one.name, tuple(one.labels.values())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_d8_a_scripted_day_is_told(site: Running) -> None:
    """Sources, deliveries, steps and requests, as Prometheus reads them."""
    store = site.app.store
    store.record_run(SourceRun("Saved pages", NOW - timedelta(hours=2), read=9, new=4))
    ada = store.put_subscriber(subscriber(), NOW)
    gone = store.put_subscriber(subscriber("gone@example.org"), NOW)
    store.set_state(gone.id, SubscriberState.UNSUBSCRIBED, NOW)
    store.open_deliveries(FRAME, [digest_of(ada, listing("A"))], NOW - timedelta(minutes=5))
    site.site.pulse = pulse = Pulse({"deliver": 30}, NOW - timedelta(seconds=20))
    pulse.end("deliver", NOW - timedelta(seconds=10), failed=True)
    pulse.outcomes[DeliveryState.SENT] = 3
    with site.client() as client:
        client.get(f"/unsubscribe/{site.app.tokens.unsubscribe(ada.id)}")
        client.get("/nowhere/at/all")
        text = client.get("/metrics").text
    got = samples(text)
    assert got["digest_source_age_seconds", ("Saved pages",)] == 7200
    assert got["digest_source_new", ("Saved pages",)] == 4
    assert got["digest_source_failing", ("Saved pages",)] == 0
    assert got["digest_deliveries", ("queued",)] == 1
    assert got["digest_deliveries", ("refused",)] == 0
    assert got["digest_matched_total", ()] == 1
    assert got["digest_subscribers", ("active",)] == 1
    assert got["digest_subscribers", ("unsubscribed",)] == 1
    assert got["digest_oldest_waiting_seconds", ()] == 300
    assert got["digest_outcomes_total", ("sent",)] == 3
    assert got["digest_ticks_total", ("failed", "deliver")] == 1
    assert got["digest_tick_age_seconds", ("deliver",)] == 10
    assert got["digest_breaker_open", ()] == 0
    assert got["digest_settings_faulty", ()] == 0
    assert got["digest_settings_timestamp_seconds", ()] == NOW.timestamp() - 20
    assert got["digest_http_requests_total", ("GET", "/unsubscribe/{token}", "200")] == 1
    assert got["digest_http_requests_total", ("GET", "none", "404")] == 1
    assert "@" not in text
    assert site.app.tokens.unsubscribe(ada.id) not in text


def test_a_breaker_that_is_open_is_told(site: Running) -> None:
    """While every relay rests."""
    mailer = SmtpMailer(Relay("127.0.0.1", port=1, tls="none"))
    site.app.mailer = mailer
    for trunk in mailer._trunks:
        trunk.breaker.trouble(firm=True)
    with site.client() as client:
        got = samples(client.get("/metrics").text)
    assert got["digest_breaker_open", ()] == 1
    assert got["digest_breaker_rest_seconds", ()] > 0


def test_a8_messages_are_told_by_receiver_and_day(site: Running) -> None:
    """The great ones and those of the config by name, all others together; letters count, too."""
    store = site.app.store
    for email in ("ada@gmail.com", "mary@somewhere.example", "emmy@elsewhere.example"):
        one = store.put_subscriber(subscriber(email), NOW)
        store.open_deliveries(FRAME, [digest_of(one, listing("A"))], NOW)
    for held in claim(store, NOW, 9, 60, "me"):
        close(store, held, Sent("250 OK"), NOW, NOW)
    with site.client() as client:
        got = samples(client.get("/metrics").text)
        site.pass_time(days=1)
        later = samples(client.get("/metrics").text)
    name = "digest_provider_messages"
    assert (got[name, ("today", "google")], got[name, ("today", "other")]) == (1, 2)
    assert (got[name, ("yesterday", "google")], got[name, ("today", "microsoft")]) == (0, 0)
    assert (later[name, ("yesterday", "google")], later[name, ("today", "google")]) == (1, 0)


def test_settings_that_were_not_taken_up_are_told(site: Running) -> None:
    """Faulty ones, and those that wait for the next start; the admin page says which."""
    site.site.pulse.faults = ("config.toml: [servce]: is no table here",)
    site.site.pulse.later = ("[web] port",)
    with site.client() as client:
        got = samples(client.get("/metrics").text)
    assert got["digest_settings_faulty", ()] == 1
    assert got["digest_settings_waiting", ()] == 1
    with site.browser() as browser:
        page = browser.get("/admin/system").text
    assert "config.toml: [servce]: is no table here" in page
    assert "<dt>At the next start</dt><dd>[web] port</dd>" in page


@pytest.mark.parametrize(
    ("base_url", "web", "headers", "status"),
    [
        ("http://localhost", "", {}, 200),
        ("http://localhost", "", {"host": "evil.example"}, 404),
        ("http://localhost", "", {"x-forwarded-for": "203.0.113.7"}, 404),
        ("https://digest.example.org", "", {}, 404),
        ("https://digest.example.org", 'trusted_proxies = ["127.0.0.1"]', {}, 200),
        (
            "https://digest.example.org",
            'trusted_proxies = ["127.0.0.1"]',
            {"x-forwarded-for": "203.0.113.7"},
            404,
        ),
        (
            "https://digest.example.org",
            'trusted_proxies = ["127.0.0.1"]',
            {"x-forwarded-for": "127.0.0.1"},
            404,
        ),
    ],
)
def test_t10_without_a_token_only_this_machine_reads(
    tmp_path: Path, base_url: str, web: str, headers: dict[str, str], status: int
) -> None:
    """Neither through a proxy, nor by a foreign name, nor where a silent proxy may stand before."""
    with running_site(tmp_path, base_url=base_url, web=web) as site, site.client() as client:
        assert client.get("/metrics", headers=headers).status_code == status


def test_t10_with_a_token_nobody_reads_without_it(tmp_path: Path) -> None:
    """Wrong ones are counted, so that it cannot be guessed."""
    (tmp_path / "metrics-token").write_text(TOKEN)
    (tmp_path / "metrics-token").chmod(0o600)
    web = 'metrics_token_file = "metrics-token"'
    with running_site(tmp_path, web=web) as site, site.client() as client:
        assert client.get("/metrics").status_code == 401
        right = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/metrics", headers=right).status_code == 200
        wrong = {"authorization": "Bearer guess"}
        statuses = [client.get("/metrics", headers=wrong).status_code for _ in range(31)]
        assert set(statuses) == {401, 429}
        assert client.get("/metrics", headers=right).status_code == 200


@pytest.mark.parametrize("key", ["admin_token_file", "metrics_token_file"])
@pytest.mark.parametrize("content", [None, "", "short"])
def test_t10_a_token_that_cannot_be_used_stops_the_start(
    tmp_path: Path, key: str, content: str | None
) -> None:
    """Missing, empty or guessable: a fault, and never an open door."""
    if content is not None:
        (tmp_path / "token").write_text(content)
        (tmp_path / "token").chmod(0o600)
    with running_site(tmp_path) as site:
        web = site.app.config.web.model_copy(update={key: tmp_path / "token"})
        with pytest.raises(ConfigError):
            check_tokens(site.app.config.model_copy(update={"web": web}))


def test_d8_bounces_and_the_suppressed_are_told(site: Running) -> None:
    """By kind and by reason, without the address that they are about."""
    store = site.app.store
    ada = store.put_subscriber(subscriber(), NOW)
    mailed = Mailed("digest", 1, "m1@example.org", ada.email, ada.id, NOW.date())
    store.take_return(mailed, What.HARD, "550 no such user", NOW)
    with site.client() as client:
        text = client.get("/metrics").text
    got = samples(text)
    assert got["digest_returns", ("hard",)] == 1
    assert got["digest_suppressed", ("bounced",)] == 1
    assert got["digest_returns", ("complaint",)] == 0
    assert got["digest_suppressed", ("complained",)] == 0
    assert "ada" not in text


def test_d8_a_source_that_is_waited_for_is_told_and_one_that_rests_is_not(site: Running) -> None:
    """A list of Thursday on Saturday is in order; two weeks later nobody calls that a weekend."""
    list_on = NOW.date() - timedelta(days=1)
    run = SourceRun("Saved pages", NOW, read=9, new=4, calendar="huggingface")
    site.app.store.record_run(replace(run, list_on=list_on, list_at=NOW))
    with site.client() as client:
        site.pass_time(days=1)
        weekend = samples(client.get("/metrics").text)
        site.app.store.record_run(
            replace(run, started_at=NOW + timedelta(days=14), read=0, new=0, list_on=list_on)
        )
        site.pass_time(days=13)
        later = samples(client.get("/metrics").text)
    name = "digest_source_overdue"
    assert (weekend[name, ("Saved pages",)], later[name, ("Saved pages",)]) == (0, 1)


def test_a9_the_share_of_complaints_is_told_by_day(site: Running) -> None:
    """One complaint for four messages, none on the day after."""
    store = site.app.store
    people = [store.put_subscriber(subscriber(f"p{n}@example.org"), NOW) for n in range(4)]
    store.open_deliveries(FRAME, [digest_of(one, listing("A")) for one in people], NOW)
    for held in claim(store, NOW, 9, 60, "me"):
        close(store, held, Sent("250 OK"), NOW, NOW)
    one = people[0]
    mailed = Mailed("digest", 1, "m1@example.org", one.email, one.id, NOW.date())
    store.take_return(mailed, What.COMPLAINT, "a report of kind abuse", NOW)
    with site.client() as client:
        got = samples(client.get("/metrics").text)
        site.pass_time(days=1)
        later = samples(client.get("/metrics").text)
    name = "digest_complaint_share"
    assert (got[name, ("today",)], got[name, ("yesterday",)]) == (0.25, 0)
    assert (later[name, ("today",)], later[name, ("yesterday",)]) == (0, 0.25)
