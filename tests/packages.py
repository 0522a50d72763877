"""Packages of npm that tests read: fetched by `.ci/run` with npm's own client, checked by hash.

`.ci/npm.txt` pins them; a test that needs one and does not find it says how to fetch it.
"""

from __future__ import annotations

import hashlib
import tarfile
from base64 import b64encode
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci"
PINNED = {
    name: (version, integrity)
    for name, version, integrity in (
        line.replace("@", " ").split() for line in (CI / "npm.txt").read_text("ascii").splitlines()
    )
}


def packaged(name: str, member: str) -> bytes:
    """A file of a pinned package; skips where the package was not fetched."""
    version, integrity = PINNED[name]
    path = CI / "npm" / f"{name}-{version}.tgz"
    if not path.exists():
        pytest.skip(f"not fetched: npm pack {name}@{version} --pack-destination .ci/npm")
    found = "sha512-" + b64encode(hashlib.sha512(path.read_bytes()).digest()).decode("ascii")
    assert found == integrity, f"{path.name} is not the pinned package"
    with tarfile.open(path) as archive:
        held = archive.extractfile(f"package/{member}")
        assert held
        return held.read()
