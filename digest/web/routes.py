"""Which path leads to which page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from digest.templates import web_folder
from digest.web import (
    days,
    history,
    joining,
    judging,
    keys,
    leaving,
    past,
    preferences,
    search,
    session,
    teaching,
)
from digest.web.session import own, personal
from digest.web.site import Endpoint, posted, posted_by_anyone, shown

A_DAY = "public, max-age=86400"


def routes() -> list[BaseRoute]:
    """Every path of the site."""
    return [
        Route("/style.css", kept("style.css", "text/css")),
        Route("/form.js", kept("form.js", "text/javascript")),
        Route("/subscribe", shown(joining.show_form), methods=["GET"]),
        Route("/subscribe", posted(joining.take_form), methods=["POST"]),
        Route("/subscribe/keyword", shown(teaching.tell), methods=["GET"]),
        Route("/confirm/{token}", shown(joining.show_confirm), methods=["GET"]),
        Route("/confirm/{token}", posted(joining.confirm), methods=["POST"]),
        *_preferences(),
        *_tuning(),
        Route("/feed/{token}/digests.{form}", shown(past.feed), methods=["GET"]),
        Route("/feed/{token}/{day}.{form}", shown(past.feed_file), methods=["GET"]),
        Route("/unsubscribe/{token}", shown(leaving.ask), methods=["GET"]),
        Route("/unsubscribe/{token}", posted_by_anyone(leaving.leave), methods=["POST"]),
        *_reading(),
    ]


def _reading() -> list[BaseRoute]:
    """The paths of the listings, for everybody."""
    pages = {
        "/": days.show_today,
        "/search": search.show_search,
        "/week/{week}": days.show_week,
        "/month/{month}": days.show_month,
        "/{year}-{month}-{day}": days.show_day,
    }
    return [Route(path, shown(page), methods=["GET"]) for path, page in pages.items()]


def _preferences() -> list[BaseRoute]:
    """The paths behind the link to manage; a profile in the config file is changed there."""
    looks = {
        "/preferences": preferences.show,
        "/preferences/profile.toml": preferences.download,
        "/preferences/my-data.json": preferences.export,
        "/preferences/history": history.show,
        "/preferences/digests": past.show_list,
        "/preferences/digests/{day}.{form}": past.download,
        "/preferences/digests/{day}": past.show_day,
        "/preferences/keys": keys.show,
    }
    changes = {
        "/preferences": own(preferences.save),
        "/preferences/toml": own(preferences.save_toml),
        "/preferences/pause": personal(preferences.pause),
        "/preferences/leave": personal(preferences.leave),
        "/preferences/history": personal(history.undo),
        "/preferences/digests": personal(past.change_link),
        "/preferences/erase": own(preferences.erase),
        "/preferences/keys": personal(keys.make),
        "/preferences/keys/revoke": personal(keys.revoke),
        "/preferences/close": session.close_session,
    }
    return [
        *(Route(path, shown(personal(page)), methods=["GET"]) for path, page in looks.items()),
        *(Route(path, posted(page), methods=["POST"]) for path, page in changes.items()),
        Route("/preferences/{token}", shown(session.show_link), methods=["GET"]),
        Route("/preferences/{token}", posted(session.open_session), methods=["POST"]),
        Route("/preferences/{token}/fresh", posted(session.ask_fresh), methods=["POST"]),
    ]


def _tuning() -> list[BaseRoute]:
    """The paths behind the links beside a paper in a mail."""
    return [
        Route("/tune/{token}/{number:int}", shown(judging.show_all), methods=["GET"]),
        Route("/tune/{token}/done/{number:int}", shown(judging.show_done), methods=["GET"]),
        Route("/tune/{token}/undo/{number:int}", posted(judging.undo), methods=["POST"]),
        Route("/tune/{token}/{verb}/{number:int}", shown(judging.show), methods=["GET"]),
        Route("/tune/{token}/{verb}/{number:int}", posted(judging.judge), methods=["POST"]),
    ]


def kept(name: str, media_type: str) -> Endpoint:
    """The endpoint of a file beside the templates, read once, that browsers keep for a day."""
    content = (web_folder() / name).read_bytes()

    async def endpoint(request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"cache-control": A_DAY})

    return endpoint
