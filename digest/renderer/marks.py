"""Templates rendered once for many mails: marks stand where each person's own values go.

Owns what a template may do with such a value: print it, wrap it, ask whether it is there. All else
raises, so that a template which does more is found out and rendered anew for each mail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from jinja2 import nodes
from markupsafe import Markup

# Non-characters: `clean.visible` lets none of them through, so no text from outside holds one.
_OPENS, _ENDS = "\ufdd0", "\ufdd1"
_CUT = re.compile(f"{_OPENS}([^{_ENDS}]*){_ENDS}")

_CAPTURING = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.AssignBlock,
    nodes.EvalContextModifier,
    nodes.Import,
    nodes.FromImport,
)
"""What takes printed text and could do more with it, or changes how it is escaped."""

_TESTS = frozenset({"defined", "undefined", "none"})
_CHOOSING = frozenset({"select", "reject", "selectattr", "rejectattr"})


class MarkError(Exception):
    """A template does more with a personal value than print it."""


class Slot(NamedTuple):
    """A place for a value, and how the template wraps it: (first, rest, width), or not."""

    name: str
    wrap: tuple[str, str | None, int] | None = None


class Mark:
    """Stands for a personal value that is there: plain text, or what cannot be wrapped."""

    __slots__ = ("_is_text", "_slot", "_tail")

    def __init__(self, name: str, *, is_text: bool = True) -> None:
        self._slot = Slot(name)
        self._tail = ""
        self._is_text = is_text

    def before(self, tail: str) -> Mark:
        """The value with `tail` behind it, which no part of a mail needs escaped."""
        made = Mark(self._slot.name, is_text=False)
        made._slot, made._tail = self._slot, self._tail + tail
        return made

    def wrapped(self, first: str, rest: str | None, width: int) -> Mark:
        """The same value in lines. Raises: MarkError where it is markup, or wrapped already."""
        if not self._is_text or self._slot.wrap:
            raise MarkError
        made = Mark(self._slot.name)
        made._slot = Slot(self._slot.name, (first, rest, width))
        return made

    def printed(self) -> str:
        """What `Stencil.cut` finds again. Raises: MarkError where nothing can be printed here."""
        if not self._slot.name:
            raise MarkError
        return f"{_OPENS}{json.dumps(self._slot)}{_ENDS}{self._tail}"

    def __bool__(self) -> bool:
        return True

    def _refuse(self, *_: object) -> NoReturn:
        raise MarkError

    # By name, since Jinja's filters take a TypeError or ValueError for "not a number".
    __str__ = __repr__ = __format__ = __hash__ = _refuse
    __int__ = __float__ = __index__ = __eq__ = __ne__ = _refuse


def finalize(value: object) -> object:
    """What a template prints of a value; Jinja asks for each one."""
    return Markup(value.printed()) if isinstance(value, Mark) else value  # noqa: S704 - ours


def only_prints(tree: nodes.Template) -> bool:
    """False for a template that could change what it has printed, or hides what it does."""
    printed = {id(one) for output in tree.find_all(nodes.Output) for one in output.nodes}
    calls = [call.node for call in tree.find_all(nodes.Call) if id(call) in printed]
    # `super()` and `self.block()`, which give what a block has printed.
    asked = {id(one.node if isinstance(one, nodes.Getattr) else one) for one in calls}
    return (
        not any(tree.find(kind) for kind in _CAPTURING)
        and all(id(n) in asked for n in tree.find_all(nodes.Name) if n.name in {"super", "self"})
        and all(test.name in _TESTS for test in tree.find_all(nodes.Test))
        and all(one.name not in _CHOOSING for one in tree.find_all(nodes.Filter))
        and not any(loop.recursive for loop in tree.find_all(nodes.For))
    )


@dataclass(frozen=True, slots=True)
class Stencil:
    """A rendered template cut at its marks: the pieces between them, encoded, and the slots."""

    slots: tuple[Slot, ...]
    names: tuple[str, ...]
    """Of the slots; empty for one that is wrapped."""
    pieces: list[bytes]
    """What stands before, between and behind the slots, with an empty piece for each of them."""

    @classmethod
    def cut(cls, rendered: str, encode: Callable[[str], bytes]) -> Stencil:
        """The stencil of a text that was rendered with marks."""
        parts = _CUT.split(rendered)
        slots = tuple(_slot(*json.loads(one)) for one in parts[1::2])
        names = tuple("" if slot.wrap else slot.name for slot in slots)
        pieces = [b"" if place % 2 else encode(part) for place, part in enumerate(parts)]
        return cls(slots, names, pieces)

    def fill(self, made: Mapping[str, bytes], make: Callable[[Slot], bytes]) -> bytes:
        """The text with its values; those that are not `made`, or are wrapped, `make` makes."""
        values = list(map(made.get, self.names))
        if None in values:
            pairs = zip(values, self.slots, strict=True)
            values = [make(slot) if value is None else value for value, slot in pairs]
        pieces: list[bytes | None] = [*self.pieces]
        pieces[1::2] = values
        return b"".join(filter(None, pieces))


def around(marked: str) -> list[str]:
    """The pieces between the marks of a text, to be joined by the one value that all stand for."""
    return _CUT.split(marked)[::2]


def _slot(name: str, wrap: Any) -> Slot:
    return Slot(name, (wrap[0], wrap[1], wrap[2]) if wrap else None)
