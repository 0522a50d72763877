"""The mail in a real browser, where one is installed: it fits a phone and can be read there."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from digest.renderer import Renderer
from digest.renderer.sample import sample_digest, sample_links, sample_time
from digest.templates import packaged_templates
from tests.samples import FRAME

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

MEASURE = """<body><iframe style="border:0;width:{width}px;height:900px" srcdoc="{mail}"></iframe>
<script>
document.querySelector("iframe").onload = event => {{
  const page = event.target.contentDocument, view = event.target.contentWindow;
  const sizes = [...page.querySelectorAll("body *")]
    .filter(one => [...one.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(one => one.getClientRects().length && view.getComputedStyle(one).opacity > 0)
    .map(one => parseFloat(view.getComputedStyle(one).fontSize)).filter(size => size > 1);
  document.title = page.documentElement.scrollWidth + " " + Math.min(...sizes);
}};
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [320, 600, 1000])
def test_r8_the_mail_fits_the_window_and_can_be_read(width: int, tmp_path: Path) -> None:
    """No sideways scrolling at any width, and no shown text under 14 px."""
    frame = replace(FRAME, templates=packaged_templates())
    message = Renderer(frame).render(
        sample_digest(), "sample@digest.invalid", sample_time(), sample_links()
    )
    page = tmp_path / "page.html"
    page.write_text(MEASURE.format(width=width, mail=html.escape(message.html)), "utf-8")
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}"]
    told = subprocess.run(
        [*command, "--virtual-time-budget=3000", "--dump-dom", page.as_uri()],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    found = re.search(r"<title>(\d+) ([\d.]+)</title>", told)
    assert found, told[:500]
    assert int(found[1]) <= width
    assert float(found[2]) >= 14
