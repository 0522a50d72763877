"""What is wrong with a config, one line each: the place, the fault, the nearest right form.

Owns the wording. Never shows the value of a key that could hold a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import EnumType
from typing import get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from digest.config.words import either, meant, nearest, shown

SORTS = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text in quotes",
}
"""What each type error of pydantic asks for, in words of TOML."""


def key_of(name: str, field: FieldInfo) -> str:
    """The key of a field as it stands in the TOML."""
    return field.alias or name


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The keys of a table in their order."""
    return {key_of(name, field): field for name, field in model.model_fields.items()}


def describe(error: ValidationError, model: type[BaseModel], place: str) -> Iterator[str]:
    """A line for each fault that pydantic found in one table."""
    fields = keys_of(model)
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue  # the default follows from a key that is at fault itself
        key, *within = detail["loc"]
        field = fields.get(str(key))
        message = _message(detail, str(key), field, fields)
        if within and within[0] in fields:
            message = f"is a setting, no term: write it above [subscribers.{key}]"
        yield f"{place} {shown(str(key))[1:-1]}{_inner(within, detail['input'])}: {message}"


def _inner(within: list[int | str], value: object) -> str:
    """Where in a list or table the fault is: ` #2 ("item")` or ` "term"`."""
    if not within:
        return ""
    if isinstance(within[0], int):
        return f" #{within[0] + 1} ({shown(value)})"
    return f" {shown(within[0])}"


def _message(
    detail: ErrorDetails, key: str, field: FieldInfo | None, fields: Mapping[str, FieldInfo]
) -> str:
    """What is wrong with one value, in one phrase."""
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden" or field is None:
        return unknown_key(key, fields)
    if kind == "missing":
        example = field.examples[0] if field.examples else ""
        return f"is missing{f'; it could be {shown(example)}' if example else ''}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in {"literal_error", "enum"}:
        words = choices(field)
        hint = nearest(value, words) if isinstance(value, str) else ""
        return f"must be {either(words)}, not {shown(value)}{meant(hint)}"
    if kind in SORTS and kind != "int_from_float":
        return f"must be {SORTS[kind]}, not {shown(value)}{_unquoted(kind, value)}"
    return f"must be {_range(field)}, not {shown(value)}"


def unknown_key(key: str, known: Iterable[str]) -> str:
    """The fault of a key that does not exist, with the one that was meant or all there are."""
    known = list(known)
    if f"{key}_file" in known:
        return f'secrets stay out of this file: put it in one of its own and write {key}_file = "…"'
    hint = nearest(key, known)
    return (
        f"is no key here{meant(hint)}" if hint else f"is no key here; keys are {', '.join(known)}"
    )


def choices(field: FieldInfo) -> list[str]:
    """The words that a key takes, for keys that take one of a few; else nothing."""
    if isinstance(field.annotation, EnumType):
        return [str(word.value) for word in field.annotation]
    return [word for word in get_args(field.annotation) if isinstance(word, str)]


def limits(field: FieldInfo) -> str:
    """The bounds of a number in words: `from 1 to 65535`, `above 0 and up to 10000`, or empty."""
    least = next((mark for mark in field.metadata if isinstance(mark, (Ge, Gt))), None)
    most = next((mark.le for mark in field.metadata if isinstance(mark, Le)), None)
    if least is None:
        return ""
    return (
        f"from {least.ge} to {most}" if isinstance(least, Ge) else f"above {least.gt}, up to {most}"
    )


def _range(field: FieldInfo) -> str:
    """A number's kind and bounds in words."""
    whole = field.annotation is int or int in get_args(field.annotation)
    return f"{'a whole number' if whole else 'a number'} {limits(field)}".strip()


def _unquoted(kind: str, value: object) -> str:
    """The hint that a number or true/false stands in quotes that do not belong there."""
    if not isinstance(value, str):
        return ""
    word = value.strip()
    number = kind != "bool_type" and word.lstrip("+-").replace(".", "", 1).isdecimal()
    if (number and len(word) < 20) or (kind == "bool_type" and word in {"true", "false"}):
        return f"; did you mean {word} without quotes?"
    return ""
