"""Where the real recordings lie, and the moment that the tests call now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from digest.model import Listing, Source
from digest.sources import KINDS, Batch, read_batch

SHARED = Path(__file__).parents[2] / ".." / "shared"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def recording(path: str) -> bytes:
    """The bytes of a real recording; skips the test where there are none."""
    file = SHARED / path
    if not file.exists():
        pytest.skip("the real recordings in ../shared are not present")
    return file.read_bytes()


def read(kind: str, body: bytes | str, name: str = "test", now: datetime = NOW) -> Batch:
    """The batch that a body of that kind gives."""
    raw = body if isinstance(body, bytes) else body.encode()
    return read_batch(Source(name, kind, url="https://example.org/"), raw, now)


class Shelf:
    """Stored listings in memory, looked up by identity as a store does it."""

    def __init__(self) -> None:
        self.rows: dict[int, Listing] = {}
        self.claims: dict[str, int] = {}

    def known(self, ids: Collection[str]) -> Mapping[str, Listing]:
        """The stored listings under these identities."""
        return {name: self.rows[self.claims[name]] for name in ids if name in self.claims}

    def keep(self, new: Collection[Listing], changed: Collection[Listing]) -> None:
        """Store new listings under fresh rows and changed ones in theirs; keys stay unique."""
        for listing in new:
            row = len(self.rows) + 1
            assert listing.key not in self.claims
            self.rows[row] = replace(listing, id=row)
            self._claim(row)
        for listing in changed:
            assert listing.id in self.rows
            self.rows[listing.id] = listing
            self._claim(listing.id)

    def _claim(self, row: int) -> None:
        for name in self.rows[row].ids:
            self.claims.setdefault(name, row)


def source_of(kind: str, **options: Any) -> Source:  # options of every type
    """A source of that kind with these options."""
    return Source("test", kind, **options)


def asked(kind: str, **options: Any) -> list[str]:  # options of every type
    """The addresses that a source of that kind asks for."""
    source = source_of(kind, **options)
    return [request.url for request in KINDS[kind].requests(source, NOW)]


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
