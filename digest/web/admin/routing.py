"""The paths of the admin pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from digest.web.admin import pages, people
from digest.web.admin.entry import Entry
from digest.web.site import Site, posted, shown


def admin_routes(site: Site) -> list[BaseRoute]:
    """Every path. Raises: ConfigError when the token cannot be used."""
    entry = Entry(site)
    looks = {
        "/admin/sources": pages.list_sources,
        "/admin/subscribers": people.list_people,
        "/admin/subscribers/{number:int}": people.show_person,
        "/admin/deliveries": pages.list_deliveries,
        "/admin/system": pages.show_system,
    }
    changes = {
        "/admin/sources/read": pages.read_source,
        "/admin/subscribers": people.list_people,
        "/admin/subscribers/{number:int}/{action}": people.change_person,
        "/admin/deliveries/{number:int}/{action}": pages.change_delivery,
        "/admin/leave": entry.leave,
    }
    return [
        Route("/admin", shown(entry.ask), methods=["GET"]),
        Route("/admin", posted(entry.enter), methods=["POST"]),
        *(Route(path, shown(entry.guarded(page)), methods=["GET"]) for path, page in looks.items()),
        *(
            Route(path, posted(entry.guarded(page)), methods=["POST"])
            for path, page in changes.items()
        ),
    ]
