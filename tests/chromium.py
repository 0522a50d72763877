"""A page opened in a headless Chromium, where one is installed, and what its scripts tell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip

SCHEMES = {"light": "1", "dark": "0"}
"""What the reader's system prefers, as Chromium's setting has it."""

TOLD = re.compile(r'<pre id="told">(.*?)</pre>', re.DOTALL)

PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>Test</title><body><script>
const given = {given};
{script}
tell(given).then(told => {{
  document.body.replaceChildren();
  const pre = document.body.appendChild(document.createElement("pre"));
  pre.id = "told";
  pre.textContent = JSON.stringify(told);
}}, fault => document.body.append("fault: " + fault));
</script>"""


def told(
    folder: Path, script: str, given: Any, *, scheme: str = "light", images: bool = True
) -> Any:
    """What the script's `async function tell(given)` gives; skips where there is no Chromium."""
    page = folder / "page.html"
    # `<` as an escape: what is given must not end the script that it stands in.
    data = json.dumps(given).replace("<", "\\u003c")
    page.write_text(PAGE.format(given=data, script=script), "utf-8")
    settings = f"preferredColorScheme={SCHEMES[scheme]},imagesEnabled={str(images).lower()}"
    shown = _run(
        folder,
        "--virtual-time-budget=120000",
        "--dump-dom",
        f"--blink-settings={settings}",
        page.as_uri(),
    )
    found = TOLD.search(shown)
    assert found, shown[-500:]
    return json.loads(unescape(found[1]))


def _run(folder: Path, *arguments: str) -> str:
    if PROGRAM is None:
        pytest.skip("no Chromium is installed (Debian package chromium)")
    command = [PROGRAM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def visited(folder: Path, url: str) -> str:
    """A page as it stands after its scripts had five seconds; skips where there is no Chromium."""
    return _run(folder, "--virtual-time-budget=5000", "--dump-dom", url)
