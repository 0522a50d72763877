"""The web pages: subscribe, confirm, change, leave; plain HTML that works without scripts.

A driver: it reads the clock, asks the store and calls the story. Rules that all pages share stand
in `guard` (what a request may be, what every answer says) and `site` (how a page is made).
"""

from digest.web.doors import check_tokens
from digest.web.pulse import Pulse
from digest.web.server import listen, serve_site
from digest.web.site import Site

__all__ = ["Pulse", "Site", "check_tokens", "listen", "serve_site"]
