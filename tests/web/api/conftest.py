"""A site with a subscriber who has a key, a listing and a digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from digest.model import Origin, Subscriber
from digest.tokens import new_api_key
from tests.samples import NOW, digest_of, listing, subscriber
from tests.web.running import Running, running_site

MANY = "api_per_key = 1000000\napi_per_network = 1000000\nsignups_per_network = 10000"


@dataclass
class Desk:
    """A running site, its one subscriber, and a key of theirs."""

    site: Running
    ada: Subscriber
    key: str

    def ask(self, method: str, path: str, key: str | None = "", **more: object) -> httpx.Response:
        """A call with Ada's key, with another one, or with none (None)."""
        headers = {} if key is None else {"authorization": f"Bearer {key or self.key}"}
        with self.site.client(**headers) as client:
            return client.request(method, f"/api{path}", **more)  # type: ignore[arg-type]  # httpx's own


def key_for(site: Running, one: Subscriber) -> str:
    """A new key of a subscriber."""
    key = new_api_key()
    assert site.app.store.add_api_key(one.id, "test", site.app.tokens.api_key_names(key)[0], NOW)
    return key


def stocked(site: Running) -> Desk:
    """The site with its listing, subscriber, key and digest."""
    paper = listing("Flash Attention", key="arxiv:2606.00467", abstract="Tiles.")
    site.app.store.add_listings([paper], [], {"flash": 1}, set(), NOW)
    ada = site.app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
    site.app.store.open_deliveries(site.app.frame, [digest_of(ada, paper)], NOW)
    return Desk(site, ada, key_for(site, ada))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A stocked site with room for many calls."""
    with running_site(tmp_path, web=MANY) as site:
        yield stocked(site)
