"""The forecast on the pages: before anything is saved, and never instead of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest

from digest.web.site import FORECASTS, THREADS
from tests.samples import NOW, listing
from tests.waiting import WAIT_S
from tests.web.running import Running, fields_of, running_site


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


ASKED = {
    "term": "x ray", "day": "mon", "timezone": "UTC", "send_at": "07:30",
    "max_items": "9", "min_score": "0.2", "trending": "0", "forecast": "1",
}  # fmt: skip


def test_a_crowd_of_forecasts_leaves_the_other_pages_free(tmp_path: Path) -> None:
    """While one is made and one waits the rest are told when to come back; pages are served."""
    with running_site(tmp_path) as site, site.browser() as browser, ThreadPoolExecutor(8) as crowd:
        assert site.site.forecasting.acquire(timeout=1)
        try:
            asked = [
                crowd.submit(browser.post, "/subscribe", data=ASKED) for _ in range(2 * THREADS)
            ]
            turned = list(islice(as_completed(asked, timeout=WAIT_S), 2 * THREADS - FORECASTS))
            assert browser.get("/subscribe", timeout=WAIT_S).status_code == 200
        finally:
            site.site.forecasting.release()
        for answer in (one.result() for one in turned):
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "10"
            assert "others are trying" in answer.text
            assert ("term", "x ray") in fields_of(answer.text)
        assert sorted(one.result().status_code for one in asked) == [200] * 2 + [503] * 6
