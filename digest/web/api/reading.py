"""What everybody may read: one listing."""

from __future__ import annotations

from pydantic import Field

from digest.web.api.operations import Call, Operation, Parameters
from digest.web.api.problems import ProblemError
from digest.web.api.shapes import ListingShape


class Identity(Parameters):
    """Which listing."""

    key: str = Field(
        min_length=1, max_length=500, description="Any identity of it, such as `arxiv:2606.00467`."
    )


def show_listing(call: Call) -> ListingShape:
    """One listing, by any of its identities."""
    found = call.visit.app.store.known([call.parameters.key])
    if not found:
        raise ProblemError(404, "No stored listing has that key.")
    return ListingShape.of(next(iter(found.values())))


OPERATIONS = (
    Operation(
        "GET",
        "/listing",
        "getListing",
        "One listing.",
        show_listing,
        ListingShape,
        parameters=Identity,
        refuses=(404,),
    ),
)
