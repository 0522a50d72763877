"""What Prometheus reads at `/metrics`: sources, deliveries, steps, requests. Never an address.

Labels are names of the config, states and route templates, so that there are few.
Source: Prometheus exposition format 0.0.4; prometheus-client.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digest.mailer import KNOWN, SmtpMailer
from digest.model import DeliveryState
from digest.oversight import EVER, by_day, complaint_shares
from digest.standing import overdue
from digest.store.returned import Reason, What
from digest.web.doors import bearer, is_here, is_token, read_token
from digest.web.limiter import MINUTE, Limiter
from digest.web.site import Site, Visit, shown

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
SECONDS = (0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
COUNTED = (
    DeliveryState.SENT,
    DeliveryState.DEFERRED,
    DeliveryState.REFUSED,
    DeliveryState.UNKNOWN,
    DeliveryState.HELD,
)
TRIES = 30
"""Wrong tokens a minute, from everybody together: a token is read by few."""


class Measured:
    """Counts the requests of an application by route template, with how long each took."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self.app = app
        self.requests = Counter(
            "digest_http_requests",
            "Requests by method, route and status.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "digest_http_request_seconds",
            "Time to the end of an answer, by route.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, began = 500, time.perf_counter()

        async def note(event: Message) -> None:
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        try:
            await self.app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "") or "none"
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.requests.labels(method, route, status).inc()
            self.seconds.labels(route).observe(time.perf_counter() - began)


class Standings(Collector):
    """What stands in the store and in the scheduler's pulse, asked when it is read."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the store."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family with its values of now."""
        now = self.site.clock()
        yield from _sources(self.site, now)
        yield from _ledger(self.site, now)
        yield from _steps(self.site, now)


def _sources(site: Site, now: datetime) -> Iterator[Metric]:
    last = _gauge("source_last_success_timestamp_seconds", "When a source was last read.", "source")
    age = _gauge("source_age_seconds", "How long ago that was.", "source")
    new = _gauge("source_new", "New listings of a source's last run.", "source")
    failing = _gauge("source_failing", "1 while a source cannot be read.", "source")
    told = (
        "1 while a source has been silent for longer than its calendar allows, or failed for a day."
    )
    waited_for = _gauge("source_overdue", told, "source")
    runs = site.app.store.latest_runs()
    late = {run.source for run in overdue(runs.values(), now)}
    for source in site.app.config.sources:
        at, run = site.app.store.last_success_at(source.name), runs.get(source.name)
        if at:
            last.add_metric([source.name], at.timestamp())
            age.add_metric([source.name], (now - at).total_seconds())
        if run:
            new.add_metric([source.name], run.new)
            failing.add_metric([source.name], int(bool(run.error)))
            waited_for.add_metric([source.name], int(source.name in late))
    yield from (last, age, new, failing, waited_for)


def _ledger(site: Site, now: datetime) -> Iterator[Metric]:
    store = site.app.store
    states = _gauge("deliveries", "Digests of the last 30 days by state.", "state")
    counts = store.deliveries_by_state(EVER)
    for state in DeliveryState:
        states.add_metric([state.value], counts.get(state, 0))
    people = _gauge("subscribers", "Subscribers by state.", "state")
    for one, count in store.subscribers_by_state().items():
        people.add_metric([one.value], count)
    oldest = store.oldest_waiting_at()
    waiting = (now - oldest).total_seconds() if oldest else 0
    back = _gauge("returns", "Bounces and complaints that are kept, by kind.", "kind")
    kept = store.returned(EVER)
    for what in What:
        back.add_metric([what.value], kept.get(what, 0))
    shut = _gauge("suppressed", "Addresses that are not mailed, by reason.", "reason")
    listed = store.suppressed_by_reason()
    for reason in Reason:
        shut.add_metric([reason.value], listed.get(reason, 0))
    share = _gauge("complaint_share", "Complaints for each message of the day.", "day")
    for day, value in complaint_shares(site.app, now).items():
        share.add_metric([day], value)
    yield from (states, people, back, shut, _messages(site, now), share)
    yield GaugeMetricFamily(
        "digest_oldest_waiting_seconds", "Age of the longest waiting digest.", waiting
    )
    yield GaugeMetricFamily("digest_listings", "Listings stored.", store.counted_listings())
    fitted = "Listings that fitted a reader's day, added up over all digests."
    yield CounterMetricFamily("digest_matched", fitted, store.matched_so_far())


def _messages(site: Site, now: datetime) -> Metric:
    """Receivers that are known by name, and the others together: labels must stay few."""
    told = "Messages that a receiver took, by day; all that are not known by name are other."
    messages = GaugeMetricFamily("digest_provider_messages", told, labels=("provider", "day"))
    known = {*KNOWN, *(one.name for one in site.app.config.providers)}
    for day, receivers in by_day(site.app, now).items():
        counts = dict.fromkeys([*sorted(known), "other"], 0)
        for name, count in receivers:
            counts[name if name in known else "other"] += count
        for name, count in counts.items():
            messages.add_metric([name, day], count)
    return messages


def _steps(site: Site, now: datetime) -> Iterator[Metric]:
    ticks = CounterMetricFamily(
        "digest_ticks", "Ends of the scheduler's steps.", labels=("step", "result")
    )
    age = _gauge("tick_age_seconds", "Seconds since a step last ended.", "step")
    for name, beat in site.pulse.beats.items():
        ticks.add_metric([name, "done"], beat.done - beat.failed)
        ticks.add_metric([name, "failed"], beat.failed)
        age.add_metric([name], beat.age_s(now))
    tries = CounterMetricFamily(
        "digest_outcomes", "What tries to send came to since the start.", labels=("outcome",)
    )
    for state in COUNTED:
        tries.add_metric([state.value], site.pulse.outcomes[state])
    mailer = site.app.mailer
    rest_s = mailer.rest_s if isinstance(mailer, SmtpMailer) else 0.0
    yield from (ticks, age, tries)
    living = max(1, len(site.pulse.workers))
    yield GaugeMetricFamily("digest_workers", "Processes that share the steps.", living)
    yield from _settings(site)
    yield GaugeMetricFamily("digest_breaker_open", "1 while every relay rests.", int(rest_s > 0))
    yield GaugeMetricFamily("digest_breaker_rest_seconds", "How long they still rest.", rest_s)


def _settings(site: Site) -> Iterator[Metric]:
    pulse = site.pulse
    faulty = "1 while the settings in the files have faults and older ones are in force."
    yield GaugeMetricFamily("digest_settings_faulty", faulty, int(bool(pulse.faults)))
    later = "Changed settings that wait for the next start."
    yield GaugeMetricFamily("digest_settings_waiting", later, len(pulse.later))
    if pulse.settings_at:
        yield GaugeMetricFamily(
            "digest_settings_timestamp_seconds",
            "When the settings in force were taken up.",
            pulse.settings_at.timestamp(),
        )


def _gauge(name: str, words: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"digest_{name}", words, labels=(label,))


def make_registry(site: Site) -> CollectorRegistry:
    """A registry of this site alone."""
    registry = CollectorRegistry()
    registry.register(Standings(site))
    ProcessCollector(registry=registry)
    return registry


def metrics_routes(site: Site, registry: CollectorRegistry) -> list[BaseRoute]:
    """The path of the metrics. Raises: ConfigError when the token cannot be used."""
    token = read_token(site.app.config, "metrics_token_file")
    wrong = Limiter(TRIES, MINUTE)

    def show(visit: Visit) -> Response:
        """The metrics, for this machine or for who bears the token."""
        if token and not is_token(bearer(visit), token):
            refused = 429 if wrong.wait_s("", visit.now) else 401
            raise HTTPException(refused, headers={"www-authenticate": "Bearer"})
        if not token and not is_here(visit):
            raise HTTPException(404)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return [Route("/metrics", shown(show), methods=["GET"])]
