"""JSON from outside, within bounds."""

from __future__ import annotations

import json
from typing import Any

from digest.sources.batch import UnreadableError

_DEEPEST = 60  # no source nests more than ten deep


def load(body: bytes | str) -> Any:  # JSON may hold anything; callers look
    """The value of a JSON text. Raises: UnreadableError with the place of the fault."""
    try:
        text = body if isinstance(body, str) else body.decode(json.detect_encoding(body))
        if not text.strip():
            raise UnreadableError("the answer is empty; JSON was expected")
        value = json.loads(text.removeprefix("\ufeff"))
    except UnicodeDecodeError as fault:
        raise UnreadableError(f"not JSON: byte {fault.start} is no text") from None
    except json.JSONDecodeError as fault:
        raise UnreadableError(f"not JSON{_hint(text)}: {_at(fault, text)}") from None
    except (RecursionError, ValueError):  # also a number of more than 4,300 digits
        raise UnreadableError(
            "JSON out of all bounds: nested too deep, or a number too long"
        ) from None
    if not _is_shallow(value):
        raise UnreadableError(f"JSON out of all bounds: nested more than {_DEEPEST} deep")
    return value


def _at(fault: json.JSONDecodeError, text: str) -> str:
    """The fault in words; at the end of the text it says that the text is cut."""
    cut = (
        " (it may be cut off)"
        if fault.pos >= len(text.rstrip()) - 1 or "termin" in fault.msg
        else ""
    )
    return f"{fault.msg.removesuffix(' at')} at line {fault.lineno} column {fault.colno}{cut}"


def _hint(text: str) -> str:
    """What stands there where it is easy to see."""
    return " but markup" if text.lstrip().startswith("<") else ""


def _is_shallow(value: object) -> bool:
    """True when nothing nests deeper than `_DEEPEST`."""
    level: list[object] = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return True
    return False
