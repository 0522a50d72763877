"""A paper that a digest has shown, and the pages behind the links beside it."""

from __future__ import annotations

import html
import re
import sqlite3
from contextlib import closing

import httpx

from digest.model import Listing, Profile, Subscriber
from tests.samples import FRAME, NOW, digest_of, listing
from tests.web.running import Running

PAPER = listing(
    "Sparse Flash Attention <b>for</b> Long Contexts",
    key="arxiv:2606.00001",
    abstract="Flash attention tiles the softmax. Kernels fuse; kernels are sparse.",
    authors=("Tri Dao", "Ada Lovelace"),
    organization="Bell Labs",
)
VERBS = ("more", "less", "mute", "follow")


def mailed(site: Running, one: Subscriber, *papers: Listing) -> list[Listing]:
    """These papers as stored, once a digest has shown them to this person."""
    fresh = papers or (PAPER,)
    terms = {"flash": 9, "attent": 9, "kernel": 9, "sparse": 9, "softmax": 9}
    site.app.store.add_listings(fresh, [], terms, set(), NOW)
    stored = [
        found for found in site.app.store.recent_listings(9) if found.key in {p.key for p in fresh}
    ]
    digest = digest_of(one, *stored)
    assert site.app.store.open_deliveries(FRAME, [digest], NOW) == 1
    return stored


def path(site: Running, one: Subscriber, verb: str, paper: Listing) -> str:
    """The path of a tuning link in the mail of now."""
    tune = site.app.tokens.links("http://localhost", one.id, NOW).tune
    return f"{tune.removeprefix('http://localhost')}/{verb}/{paper.id}".replace("//", "/")


def now_of(site: Running, one: Subscriber) -> Subscriber:
    """The subscriber as the store has it now."""
    found = site.app.store.subscriber_by_id(one.id)
    assert found
    return found


def fields(page: str, *, ticked: str = "") -> dict[str, str | list[str]]:
    """What a browser sends for the page's form, the boxes ticked whose label has these words."""
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    labels = re.findall(r'name="choice" value="([^"]*)"( checked)?>(.*?)</label>', page, re.DOTALL)
    wanted = [
        html.unescape(value)
        for value, checked, words in labels
        if (ticked in html.unescape(words) if ticked else checked)
    ]
    return {"mark": mark[1], "choice": wanted}


def press(browser: httpx.Client, where: str, ticked: str = "") -> httpx.Response:
    """Look at a page, then press its button."""
    return browser.post(where, data=fields(browser.get(where).text, ticked=ticked))


def weights(found: Profile) -> dict[str, float]:
    """The keywords of a profile."""
    return {keyword.term: keyword.weight for keyword in found.keywords}


def rows(site: Running) -> list[str]:
    """All that the database holds, as text."""
    with closing(sqlite3.connect(site.app.folder / "digest.db")) as db:
        return list(db.iterdump())
