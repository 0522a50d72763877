"""The forecast on the pages: before anything is saved, and never instead of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.samples import NOW, listing
from tests.web.running import Running, fields_of


@pytest.fixture
def stocked(site: Running) -> Running:
    """A site with a week of listings."""
    made = [listing(f"Flash Attention {day}", abstract="Tiles.") for day in range(7)]
    made += [listing(f"Rivers <b>{day}</b>", abstract="Water.") for day in range(7)]
    listed = [replace(n, listed_on=NOW.date() - timedelta(days=i % 7)) for i, n in enumerate(made)]
    site.app.store.add_listings(listed, [], {"flash": 7, "attention": 7, "rivers": 7}, set(), NOW)
    return site


def test_the_form_shows_what_it_would_bring(stocked: Running) -> None:
    """Without an address: a chart, the picks, the keywords that match nothing; nothing is kept."""
    with stocked.browser() as browser:
        page = browser.get("/subscribe").text
        fields = [(k, v) for k, v in fields_of(page) if k not in {"term", "weight"}]
        sent: dict[str, str | list[str]] = {k: v for k, v in fields if k != "day"}
        sent |= {
            "day": [v for k, v in fields if k == "day"],
            "term": ["flash attention", "zeolite", "rivers"],
            "weight": ["2", "1", "1"],
            "min_score": "0.01",
            "forecast": "1",
        }
        answer = browser.post("/subscribe", data=sent)
    assert answer.status_code == 200
    made = answer.text.partition('id="forecast"')[2]
    assert "<b>2.0</b> a day, over 7 days with 14 listings" in made
    assert '<svg class="chart"' in made
    assert "Flash Attention" in made
    assert "zeolite" in made.partition("matched nothing")[2]
    assert "<b>0</b>" not in made
    assert ("term", "zeolite") in fields_of(answer.text)
    assert not stocked.woken


def test_a_profile_with_faults_has_no_forecast(stocked: Running) -> None:
    """The faults are told first."""
    with stocked.browser() as browser:
        sent = {"term": "(((", "timezone": "UTC", "send_at": "07:30", "forecast": "1"}
        answer = browser.post("/subscribe", data=sent)
    assert answer.status_code == 422
    assert 'id="forecast"' not in answer.text


def test_an_empty_store_is_said(site: Running) -> None:
    """There is nothing to try it on yet."""
    with site.browser() as browser:
        sent = {
            "term": "x ray", "day": "mon", "timezone": "UTC", "send_at": "07:30",
            "max_items": "9", "min_score": "0.2", "trending": "0", "forecast": "1",
        }  # fmt: skip
        answer = browser.post("/subscribe", data=sent)
    assert "Nothing is stored yet" in answer.text
