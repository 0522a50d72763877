"""The OpenAPI document of the API, made from its operations and their models.

Source: OpenAPI Specification 3.1; JSON Schema 2020-12, which is what pydantic writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from digest import __version__
from digest.web.api.operations import Operation
from digest.web.api.problems import MEDIA, WORDS
from digest.web.api.shapes import ProblemShape

REF = "#/components/schemas/{model}"

Models = Mapping[Any, dict[str, Any]]
"""Schemas by (model, mode)."""


def document(operations: Sequence[Operation], name: str, root: str) -> dict[str, Any]:
    """The document; `root` is the path of the API as people reach it."""
    schemas, definitions = models_json_schema(_models(operations), ref_template=REF)
    named = definitions.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        made = _operation(one, schemas, named)
        paths.setdefault(one.path, {})[one.method.lower()] = made
    hidden = {one.parameters.__name__ for one in operations if one.parameters}
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": __version__},
        "servers": [{"url": root}],
        "paths": paths,
        "components": {
            "schemas": {key: schema for key, schema in named.items() if key not in hidden},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _models(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """Every model, with whether it is read or written."""
    found: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (ProblemShape, "serialization"): None
    }
    for one in operations:
        found[one.answer, "serialization"] = None
        for model in (one.parameters, one.body):
            if model:
                found[model, "validation"] = None
    return list(found)


def _operation(one: Operation, schemas: Models, named: dict[str, Any]) -> dict[str, Any]:
    """One operation object."""
    made: dict[str, Any] = {"operationId": one.name, "summary": one.summary}
    if one.parameters:
        schema = named[one.parameters.__name__]
        made["parameters"] = list(_parameters(one, schema))
    if one.body:
        body = {"schema": schemas[one.body, "validation"]}
        made["requestBody"] = {"required": True, "content": {"application/json": body}}
    if one.needs_key:
        made["security"] = [{"key": []}]
    answer = {"application/json": {"schema": schemas[one.answer, "serialization"]}}
    if one.media:
        answer = {kind: {"schema": {}} for kind in one.media}
    refused = {MEDIA: {"schema": schemas[ProblemShape, "serialization"]}}
    made["responses"] = {
        str(one.status): {"description": HTTPStatus(one.status).phrase, "content": answer},
        **{
            str(status): {
                "description": WORDS.get(status, HTTPStatus(status).phrase),
                "content": refused,
            }
            for status in one.problems
        },
    }
    return made


def _parameters(one: Operation, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parameter objects of an operation."""
    for name, kind in schema["properties"].items():
        in_path = f"{{{name}}}" in one.path
        about = {key: value for key, value in kind.items() if key not in {"title", "description"}}
        yield {
            "name": name,
            "in": "path" if in_path else "query",
            "required": in_path or name in schema.get("required", ()),
            "description": kind.get("description", ""),
            "schema": about,
        }
