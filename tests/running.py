"""A service in a folder of the test's own: real config, real store, listings of the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from digest import jobs
from digest.app import App, open_app
from digest.config import parse_config, profile_toml
from digest.mailer import Mailer
from digest.matcher import terms_of
from digest.model import Delivery, Listing, SectionName, SourceRun, Subscriber
from tests.samples import NOW

CONFIG = """
[service]
base_url = "https://digest.example.org"
rollover_days = 2
[mail]
from = "Paper digest <digest@example.org>"
{mail}
[smtp]
host = "127.0.0.1"
port = {port}
tls = "none"
lease_s = {lease_s}
"""


@contextmanager
def running(
    folder: Path,
    *people: Subscriber,
    port: int = 1,
    lease_s: int = 120,
    sources: str = "",
    mail: str = "",
    data: str = "digest.db",
    mailer: Mailer | None = None,
    now: datetime = NOW,
) -> Iterator[App]:
    """The parts of a service whose config file names these people and sources."""
    text = CONFIG.format(port=port, lease_s=lease_s, mail=mail) + sources
    text = text.replace("[service]\n", f'[service]\ndata = "{data}"\n')
    text += "".join(f"\n{profile_toml(one)}" for one in people)
    with open_app(parse_config(text, "config.toml", folder), now, mailer=mailer) as app:
        yield app


def announce(app: App, *listings: Listing, at: datetime = NOW) -> None:
    """Store these listings as what a source announced at that time."""
    terms = Counter(term for listing in listings for term in terms_of(listing))
    app.store.add_listings(listings, [], terms, (), at)
    app.store.record_run(SourceRun("test", at, read=len(listings), new=len(listings)))


def delivery_of(app: App, email: str, now: datetime = NOW) -> Delivery:
    """The ledger's row of that subscriber's day."""
    one = app.store.subscriber(email)
    assert one
    found = app.store.delivery(one.id, now.date())
    assert found, f"{email} has no row on {now.date()}"
    return found


def prepared(app: App, email: str, now: datetime = NOW) -> dict[SectionName, list[str]]:
    """What that subscriber's digest shows after `prepare`: the titles of each section."""
    jobs.prepare(app, now)
    digest = delivery_of(app, email, now).digest
    return {s.name: [match.listing.title for match in s.matches] for s in digest.sections}
