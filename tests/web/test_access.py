"""The pages as axe-core judges them in a real browser: no fault of WCAG 2.2 AA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from digest.model import Origin
from tests.chromium import told
from tests.packages import packaged
from tests.samples import NOW, subscriber
from tests.web.running import Running

AXE = (Path(__file__).parents[1] / "axe.js").read_text("utf-8")


def pages(site: Running) -> Iterator[tuple[str, httpx.Response]]:
    """Each kind of page that a person meets, by its name."""
    ada = site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)
    manage = f"/preferences/{site.app.tokens.manage(ada.id, site.now)}"
    with site.browser() as browser:
        yield "subscribe", browser.get("/subscribe")
        yield "subscribe with faults", browser.post("/subscribe", data={"email": "no address"})
        yield "manage", browser.get(manage)
        yield "unsubscribe", browser.get(f"/unsubscribe/{site.app.tokens.unsubscribe(ada.id)}")
        yield "no such page", browser.get("/nowhere")
        yield "a dead link", browser.get("/confirm/nonsense")
        yield "preferences", browser.post(manage)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_the_pages(site: Running, scheme: str, tmp_path: Path) -> None:
    """Forms, their faults, the pages behind links, and what is said where nothing is."""
    axe = packaged("axe-core", "axe.min.js").decode("utf-8")
    with site.browser() as browser:
        style = browser.get("/style.css").text
    shown = {
        name: answer.text.replace("</head>", f"<style>{style}</style></head>")
        for name, answer in pages(site)
    }
    assert all("<main" in one for one in shown.values())
    given = {"mails": shown, "axe": axe, "scheme": scheme}
    said = told(tmp_path, AXE, given, scheme=scheme)
    assert said["passed"] > 10 * len(shown)
    assert not said["found"], said["found"]
