"""The README's pictures of a mail, taken anew: `python -m tests.pictures`.

The demo's mail to the genomes' readers of 20 November 2026, in headless Chromium: its beginning in
600 and 320 px, its end in the dark scheme.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from digest.demo import run_demo
from tests.chromium import FLAGS, PROGRAM, SCHEMES

IMAGES = Path(__file__).parents[1] / "docs" / "images"
DAY = datetime(2026, 11, 20, 14, tzinfo=UTC)
PICTURES = (
    ("digest-600.png", 600, 1460, "light", "top"),
    ("digest-320.png", 320, 1460, "light", "top"),
    ("digest-dark.png", 600, 1551, "dark", "bottom"),
)
"""File, width and height in pixels, scheme, and the end of the mail that is shown."""

SIGHT = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0;overflow:hidden">
<iframe src="mail.html" style="border:0;display:block;width:{width}px;height:{height}px"></iframe>
<script>onload = () => {{
  const frame = document.querySelector("iframe"), shown = frame.contentDocument.documentElement;
  const tall = shown.scrollHeight;
  frame.style.height = tall + "px";
  if ("{end}" === "bottom") frame.style.marginTop = ({height} - tall) + "px";
}};</script>"""
"""A frame around the mail, since Chromium's own window is never narrower than 500 px."""


def main() -> None:
    """Run the demo and take each picture."""
    if PROGRAM is None:
        sys.exit("no Chromium is installed (Debian package chromium)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(run_demo(folder / "demo", None, DAY, fresh=False))
        raw = (folder / "demo" / "genomes@example.org.eml").read_bytes()
        html = message_from_bytes(raw, policy=SMTP).get_body(("html",))
        if html is None:
            sys.exit("the mail has no HTML")
        (folder / "mail.html").write_text(html.get_content(), "utf-8")
        for file, width, height, scheme, end in PICTURES:
            page = folder / "page.html"
            page.write_text(SIGHT.format(width=width, height=height, end=end), "utf-8")
            command = [
                PROGRAM,
                *FLAGS,
                f"--user-data-dir={folder / 'profile'}",
                "--allow-file-access-from-files",
                "--virtual-time-budget=5000",
                f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
                f"--window-size={width},{height}",
                f"--screenshot={IMAGES / file}",
                page.as_uri(),
            ]
            subprocess.run(command, check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main()
