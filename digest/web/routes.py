"""Which path leads to which page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digest.templates import web_folder
from digest.web import joining, leaving
from digest.web.site import Endpoint, posted, posted_by_anyone, shown

A_DAY = "public, max-age=86400"


def routes() -> list[BaseRoute]:
    """Every path of the site."""
    return [
        Route("/style.css", style()),
        Route("/subscribe", shown(joining.show_form), methods=["GET"]),
        Route("/subscribe", posted(joining.sign_up), methods=["POST"]),
        Route("/confirm/{token}", shown(joining.show_confirm), methods=["GET"]),
        Route("/confirm/{token}", posted(joining.confirm), methods=["POST"]),
        Route("/unsubscribe/{token}", shown(leaving.ask), methods=["GET"]),
        Route("/unsubscribe/{token}", posted_by_anyone(leaving.leave), methods=["POST"]),
    ]


def style() -> Endpoint:
    """The endpoint of the one style sheet, read once."""
    css = (web_folder() / "style.css").read_bytes()

    async def endpoint(request: Request) -> Response:
        return Response(css, media_type="text/css", headers={"cache-control": A_DAY})

    return endpoint
