"""Answers that refuse a request, for programs: problem details as JSON. Source: RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response

from digest.web.api.shapes import FieldFault, ProblemShape
from digest.web.settings import Fault

MEDIA = "application/problem+json"

WORDS = {
    400: "The request cannot be read.",
    401: "A key is needed: the header `Authorization: Bearer KEY`. The preferences page makes one.",
    403: "That is not allowed.",
    404: "There is nothing here.",
    405: "That method does nothing here.",
    413: "The body is larger than 64 kB.",
    415: "The body must be JSON in UTF-8: `Content-Type: application/json`.",
    422: "Something in the request is not right; `errors` names each field.",
    429: "Too many requests. `Retry-After` says when to come back.",
    500: "Something went wrong here. The operator finds the reason in the log.",
    503: "The service is busy. Try again in a minute.",
}


class ProblemError(Exception):
    """The request is refused, with what is wrong in words and by field."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults = status, detail, faults
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str = "",
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says what is wrong."""
    shape = ProblemShape(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or WORDS.get(status, WORDS[400]),
        errors=[FieldFault(field=fault.field, detail=fault.text) for fault in faults],
    )
    return Response(shape.model_dump_json(), status, dict(headers or {}), media_type=MEDIA)
