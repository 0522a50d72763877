"""From a request to an operation and back: limits, key, parameters, body, the answer as JSON."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Sequence
from email.message import Message
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from digest.config.faults import describe, unknown_key
from digest.model import Subscriber, SubscriberState
from digest.signup import network_of
from digest.web.api.operations import Call, Operation
from digest.web.api.problems import ProblemError, problem
from digest.web.guard import read_body
from digest.web.limiter import MINUTE, Limiter
from digest.web.settings import Fault, fault_of
from digest.web.site import Visit

MOST_QUERY = 4_000
"""Characters of a query."""


class Gate:
    """Who may call and how often; a call with a key counts for the key, any other for its network.

    A wrong key counts for the network as well, so that keys cannot be guessed.
    """

    def __init__(self, per_key: int, per_network: int) -> None:
        self._keys = Limiter(per_key, MINUTE)
        self._networks = Limiter(per_network, MINUTE)

    def holder(self, visit: Visit) -> Subscriber | None:
        """The subscriber whose key the request bears, None where it bears none.

        Raises: ProblemError 401 for a key that is not one (any more), 429 beyond a limit.
        """
        key = _bearer(visit.request)
        network = network_of(visit.client)
        if key is None or self._networks.is_over(network, visit.now):
            _hold(self._networks.wait_s(network, visit.now))
            return None
        found = visit.app.store.api_key(visit.app.tokens.api_key_names(key), visit.now)
        one = visit.app.store.subscriber_by_id(found.subscriber_id) if found else None
        if found is None or one is None or one.state is SubscriberState.REMOVED:
            _hold(self._networks.wait_s(network, visit.now))
            raise ProblemError(401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
        _hold(self._keys.wait_s(str(found.id), visit.now))
        return one


def _bearer(request: Request) -> str | None:
    """The key of the request, None where there is no such header."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else None


def _hold(wait_s: int) -> None:
    if wait_s:
        raise ProblemError(429, headers={"retry-after": str(wait_s)})


class Endpoint:
    """The operations of one path, by their methods."""

    def __init__(self, gate: Gate, operations: Sequence[Operation]) -> None:
        self.gate = gate
        self.operations = {one.method: one for one in operations}

    async def __call__(self, request: Request) -> Response:
        """Read the request here, answer it in one of the site's threads."""
        method = "GET" if request.method == "HEAD" else request.method
        operation, site = self.operations[method], request.app.state.site
        body = await read_body(request)
        visit = Visit(site, request, site.clock())
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(site.threads, self._answer, operation, visit, body)

    def _answer(self, operation: Operation, visit: Visit, body: bytes) -> Response:
        try:
            holder = self.gate.holder(visit)
            if operation.needs_key and holder is None:
                raise ProblemError(401, headers={"www-authenticate": "Bearer"})  # noqa: TRY301 - one way out
            call = Call(visit, _parameters(operation, visit), _body(operation, visit, body), holder)
            made = operation.run(call)
        except ProblemError as error:
            return problem(error.status, error.detail, error.faults, error.headers)
        if isinstance(made, Response):
            return made
        return Response(made.model_dump_json(), operation.status, media_type="application/json")


# --- parameters and bodies ------------------------------------------------------------------


def _parameters(operation: Operation, visit: Visit) -> Any:
    """The checked parameters of a path and its query. Raises: ProblemError 422."""
    query = visit.request.query_params.multi_items()
    if sum(len(name) + len(value) for name, value in query) > MOST_QUERY:
        raise ProblemError(422, faults=[Fault("", f"a query has at most {MOST_QUERY} characters")])
    names = [name for name, _ in query]
    if operation.parameters is None:
        faults = [Fault(name[:80], unknown_key(name, ()).partition(";")[0]) for name in names]
        if faults:
            raise ProblemError(422, faults=faults)
        return None
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    if twice:
        raise ProblemError(422, faults=[Fault(name[:80], "stands there twice") for name in twice])
    given = {**dict(query), **visit.request.path_params}
    return _checked(operation.parameters, given, strict=False)


def _body(operation: Operation, visit: Visit, body: bytes) -> Any:
    """The checked body. Raises: ProblemError 400, 415, 422."""
    if operation.body is None:
        return None
    kind = Message()
    kind["content-type"] = visit.request.headers.get("content-type", "")
    if kind.get_content_type() != "application/json" or _charset(kind) not in {"utf-8", "utf8"}:
        raise ProblemError(415)
    given = read_json(body)
    if not isinstance(given, dict):
        raise ProblemError(422, faults=[Fault("", "must be a JSON object")])
    return given if operation.is_raw else _checked(operation.body, given, strict=True)


def _charset(kind: Message) -> str:
    return str(kind.get_param("charset", "utf-8")).lower()


def _checked(model: type[BaseModel], given: dict[str, Any], *, strict: bool) -> Any:
    """The model of what was given. Raises: ProblemError 422 with every fault."""
    if faults := shape_faults(model, given, strict=strict):
        raise ProblemError(422, faults=faults)
    return model.model_validate(given, strict=False)


def shape_faults(
    model: type[BaseModel], given: dict[str, Any], *, strict: bool = True
) -> list[Fault]:
    """What keeps a JSON object, or the strings of a query, from being of a shape."""
    try:
        if strict:
            model.model_validate_json(json.dumps(given), strict=True)
        else:
            model.model_validate(given)
    except ValidationError as error:
        return [fault_of(line) for line in describe(error, model, "")]
    return []


def read_json(body: bytes) -> Any:
    """What a JSON text holds; a number without a fraction is a whole one.

    Raises: ProblemError 400 for what is no JSON, names a member twice or holds half a character.
    """
    try:
        text = body.decode("utf-8")
        made = json.loads(
            text, parse_float=_number, parse_constant=_refuse, object_pairs_hook=_once
        )
        json.dumps(made, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, _TwiceError) else "The body is no JSON."
        raise ProblemError(400, detail) from None
    return made


class _TwiceError(ValueError):
    """A member stands twice in an object."""


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if math.isfinite(number) and number.is_integer() else number


def _refuse(text: str) -> float:
    raise ValueError(text)


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name in made:
            raise _TwiceError(f"The member {name[:80]!r} stands there twice.")
        made[name] = value
    return made
