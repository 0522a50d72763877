"""What an operation of the API is: declared once, for its endpoint and for the document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict
from starlette.responses import Response

from digest.config.words import WrongValueError
from digest.model import Subscriber
from digest.web.api.problems import ProblemError
from digest.web.api.shapes import Shape
from digest.web.site import Visit


class Parameters(BaseModel):
    """The parameters of an operation, in its path and in its query; unknown ones are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


NUMBER = re.compile(r"-?[0-9]{1,18}")


def read_number(value: object) -> object:
    """A whole number as a query has it. Raises: WrongValueError."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise WrongValueError("must be a whole number")
    return value


Number = Annotated[int, BeforeValidator(read_number)]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation, checked: its parameters, its body, whose key it bears."""

    visit: Visit
    parameters: Any = None
    body: Any = None
    holder: Subscriber | None = None

    @property
    def one(self) -> Subscriber:
        """The holder of the key. Raises: ProblemError 401."""
        if self.holder is None:
            raise ProblemError(401)
        return self.holder


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path: what it takes, what it gives, who may call it.

    `answer` is the shape of its JSON, `media` what it may give instead, by content type. `is_raw`
    leaves the rules of the body to `run`, which has better words for them than the shape.
    """

    method: str
    path: str
    name: str
    summary: str
    run: Callable[[Call], Shape | Response]
    answer: type[Shape]
    parameters: type[Parameters] | None = None
    body: type[Shape] | None = None
    is_raw: bool = False
    status: int = 200
    needs_key: bool = False
    media: tuple[str, ...] = ()
    refuses: tuple[int, ...] = field(default=())

    @property
    def problems(self) -> tuple[int, ...]:
        """Every status by which it may refuse."""
        found = {429, 503, *self.refuses}
        found |= {401} if self.needs_key else set()
        found |= {422} if self.parameters or self.body else set()
        found |= {400, 413, 415} if self.body else set()
        return tuple(sorted(found))
