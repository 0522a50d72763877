"""The mails in a real browser, where one is installed: they fit every screen and can be read."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.chromium import told
from tests.packages import packaged
from tests.renderer.corpus.cases import CASES
from tests.renderer.mails import LINKS, NOW, digest, render, renderer
from tests.renderer.test_real_listings import HF, mails

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
AXE = (Path(__file__).parents[1] / "axe.js").read_text("utf-8")

FOR_AXE = (
    "tuning",
    "sections",
    "plain",
    "all-reasons",
    "hint-and-misses",
    "troubled-sources",
    "note",
    "hebrew",
)
"""Golden mails that hold every kind of element between them; each takes axe a second."""


@cache
def pages() -> dict[str, str]:
    """The HTML of every golden mail, and of real listings where they are."""
    made = {
        name: renderer(case.frame).render(case.digest, f"{name}@example.org", NOW, case.links).html
        for name, case in CASES.items()
    }
    links = replace(LINKS, tune="https://example.org/t/abc")
    made["tuning"] = render(digest(), links=links).html
    if HF.exists():
        matches = mails()
        made |= {f"real {n}": render(digest(*matches[n : n + 12])).html for n in range(0, 48, 12)}
    return made


@pytest.mark.parametrize(
    ("scheme", "images"), [("light", True), ("dark", True), ("light", False)],
    ids=["light", "dark", "images-off"],
)  # fmt: skip
def test_r8_r5_r10_the_mail_can_be_read_on_every_screen(
    scheme: str, images: bool, tmp_path: Path
) -> None:
    """No sideways scrolling, no text under 14 px, no contrast under 4.5 as the browser paints it.

    At 320, 600 and 1000 px, with and without the style block, as shown and with colours turned.
    """
    given = {"mails": pages(), "scheme": scheme}
    said = told(tmp_path, MEASURE, given, scheme=scheme, images=images)
    assert said["seen"] == len(pages()) > 30
    assert said["dark"] == (scheme == "dark")
    assert not said["found"], said["found"][:20]


def test_the_measure_finds_what_is_wrong(tmp_path: Path) -> None:
    """A page that is too wide, too small, too pale or dark on dark is not passed over."""
    mails = {
        "wide": '<p style="width:1200px">A</p>',
        "small": '<p style="font-size:13px">B</p>',
        "pale": '<p style="color:#999999">C</p>',
        "scheme": "<style>@media (prefers-color-scheme: dark) { p { color: #000000 } }</style>"
        '<body style="background-color:#000000"><p style="color:#ffffff">D</p>',
    }
    said = told(tmp_path, MEASURE, {"mails": mails, "scheme": "dark"}, scheme="dark")
    assert {one.split(",")[0] for one in said["found"]} == {"wide", "small", "pale"}
    mails["scheme"] = mails["scheme"].replace("#000000 }", "#000000 !important }")
    said = told(tmp_path, MEASURE, {"mails": mails, "scheme": "dark"}, scheme="dark")
    assert {one.split(",")[0] for one in said["found"]} == set(mails)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_in_the_mail(scheme: str, tmp_path: Path) -> None:
    """No rule of WCAG 2.2 AA that a program can check is broken, in either scheme."""
    axe = packaged("axe-core", "axe.min.js").decode("utf-8")
    given = {"mails": {name: pages()[name] for name in FOR_AXE}, "axe": axe, "scheme": scheme}
    said = told(tmp_path, AXE, given, scheme=scheme)
    assert said["passed"] > 10 * len(FOR_AXE)
    assert not said["found"], said["found"][:20]


def test_axe_finds_what_is_wrong(tmp_path: Path) -> None:
    """A page without a language, with a pale text and a picture without words, is not passed."""
    axe = packaged("axe-core", "axe.min.js").decode("utf-8")
    bad = (
        '<html><title>A</title><body><p style="color:#aaaaaa">Some pale words</p><img src="data:,">'
    )
    said = told(tmp_path, AXE, {"mails": {"bad": bad}, "axe": axe, "scheme": "light"})
    found = {one.split(": ")[1] for one in said["found"]}
    assert {"html-has-lang", "color-contrast", "image-alt"} <= found
