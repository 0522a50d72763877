"""The pages as axe-core judges them in a real browser: no fault of WCAG 2.2 AA."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from digest.model import Origin, Sent
from tests.chromium import told
from tests.packages import packaged
from tests.samples import NOW, subscriber
from tests.store.steps import claim, close
from tests.web.papers import VERBS, mailed, press
from tests.web.papers import path as tuning
from tests.web.running import Running
from tests.web.sessions import session
from tests.web.signups import fields, letters, link_of

AXE = (Path(__file__).parents[1] / "axe.js").read_text("utf-8")


OPEN = (
    "/", "/2026-11-19", "/week/2026-W47", "/month/2026-11?sort=votes&source=x", "/search",
    "/search?q=attention", "/search?q=titel:x", "/subscribe", "/nowhere", "/confirm/nonsense",
    "/preferences", "/preferences/nonsense", "/tune/nonsense/more/1", "/admin/sources",
    "/admin/subscribers", "/admin/subscribers/1", "/admin/deliveries", "/admin/system",
)  # fmt: skip
"""What stands under a path of its own; the admin pages answer this machine."""

OWN = tuple(f"/preferences{path}" for path in ("", "/history", "/digests", "/keys", "?done=saved"))
"""What opens with a session; a past digest is a mail, and looked at with those."""


def pages(site: Running) -> Iterator[tuple[str, httpx.Response]]:
    """Each kind of page that a person meets, by its name."""
    ada = site.app.store.put_subscriber(subscriber(origin=Origin.STORE, name="Ada"), NOW)
    (paper,) = mailed(site, ada)
    (held,) = claim(site.app.store, NOW, 1, 60, "w")
    close(site.app.store, held, Sent("250 taken"), NOW, NOW)
    tunes = [tuning(site, ada, verb, paper) for verb in VERBS]
    links = site.app.tokens.links("", ada.id, NOW)
    with site.browser() as browser:
        behind = (*tunes, tunes[0].replace("/more", ""), links.manage, links.unsubscribe)
        for where in (*OPEN, *behind):
            yield where, browser.get(where)
        yield "tuned", press(browser, tunes[0], "flash attention")
        yield "subscribe with faults", browser.post("/subscribe", data={"email": "no address"})
        yield "forecast", browser.post("/subscribe", data=fields(site) | {"forecast": "1"})
        yield "check your mail", browser.post("/subscribe", data=fields(site, "new@example.org"))
        confirming = link_of(letters(site)[0])
        yield "confirm", browser.get(confirming)
        yield "confirmed", browser.post(confirming)
    with session(site, ada) as browser:
        for where in OWN:
            yield where, browser.get(where)
    with site.browser() as browser:
        yield "unsubscribed", browser.post(links.unsubscribe)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_the_pages(site: Running, scheme: str, tmp_path: Path) -> None:
    """Every page, forms with faults, what is said where nothing is; each of less than 50 kB."""
    axe = packaged("axe-core", "axe.min.js").decode("utf-8")
    with site.browser() as browser:
        style = browser.get("/style.css").text
    seen = dict(pages(site))
    assert not [name for name, answer in seen.items() if len(answer.content) >= 50_000]
    shown = {
        name: answer.text.replace("</head>", f"<style>{style}</style></head>")
        for name, answer in seen.items()
    }
    assert all("<main" in one for one in shown.values())
    given = {"mails": shown, "axe": axe, "scheme": scheme}
    said = told(tmp_path, AXE, given, scheme=scheme)
    assert said["passed"] > 10 * len(shown)
    assert not said["found"], "\n".join(said["found"])
