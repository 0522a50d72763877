"""The OpenAPI document, tried out by schemathesis: no 5xx, and no answer beside its schema."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from digest.web.api.routing import OPERATIONS
from tests.web.api.conftest import Desk
from tests.web.running import Running

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]
"""All but that every value of a schema is taken: keywords have a grammar of their own."""


TRIES = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),  # one site serves all examples, on purpose
)


@pytest.mark.parametrize("mode", [*GenerationMode], ids=[mode.value for mode in GenerationMode])
def test_every_operation_keeps_to_the_document(desk: Desk, mode: GenerationMode) -> None:
    """Valid and invalid calls alike: what comes back is what the document says."""
    headers = {"Authorization": f"Bearer {desk.key}"}
    schema = schemathesis.openapi.from_url(f"{desk.site.url}/api/openapi.json")
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an error here fails the test
        if mode.is_negative and not (
            operation.body or operation.query or operation.path_parameters
        ):
            continue  # there is nothing about it that could be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @TRIES
        def try_out(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers, checks=CHECKS)

        try_out()
        tried += 1
    assert tried == len(OPERATIONS) or mode.is_negative


GOOD: dict[str, dict[str, Any]] = {
    "listDay": {"path_parameters": {"day": "2026-11-20"}},
    "search": {"query": {"q": "flash"}},
    "getListing": {"query": {"key": "arxiv:2606.00467"}},
    "subscribe": {"body": {"email": "new@example.org", "keywords": {"flash attention": 2}}},
    "getMe": {},
    "getProfile": {},
    "putProfile": {"body": {"keywords": {"flash attention": 2.5}, "per_day": None}},
    "listDigests": {},
    "getDigest": {"path_parameters": {"day": "2026-11-20"}},
    "getDigestForm": {"path_parameters": {"day": "2026-11-20", "form": "atom"}},
    "pause": {"body": {"until": "2026-12-24"}},
    "resume": {},
    "unsubscribe": {},
}
"""A call of each operation that succeeds, which chance seldom finds."""


def test_every_operation_succeeds_as_the_document_says(desk: Desk) -> None:
    """With its own status, content type and shape."""
    schema = schemathesis.openapi.from_url(f"{desk.site.url}/api/openapi.json")
    assert GOOD.keys() == {one.name for one in OPERATIONS}
    for one in OPERATIONS:
        case = schema[one.path][one.method].Case(**GOOD[one.name])
        headers = {"Authorization": f"Bearer {desk.key}"}
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        assert answer.status_code == one.status, one.name


def test_the_document_names_every_path(site: Running) -> None:
    """Below the path of the base URL, with the key where one is needed, and no shape left over."""
    with site.client() as client:
        made = client.get("/api/openapi.json").json()
    assert made["servers"] == [{"url": "/api"}]
    for path, methods in made["paths"].items():
        for one in methods.values():
            assert ("security" in one) == path.startswith("/me"), path
            assert {"429", "503"} <= set(one["responses"])
    text = str(made)
    assert all(f"#/components/schemas/{name}" in text for name in made["components"]["schemas"])
