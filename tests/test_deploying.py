"""The files of `docs/deploy` fit the program and each other; systemd's own tool finds no fault."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from fnmatch import fnmatch
from pathlib import Path

import pytest

from digest.config import Web
from digest.ticks import STOP_S
from digest.web.server import GRACE_S
from tests.container import DEPLOY, compose, instructions, last

ROOT = DEPLOY.parents[1]
UNIT = DEPLOY / "digest.service"
EXPOSED = 15
"""Tenths that `systemd-analyze security` may count at most, of 100 for a unit without rules."""

PIN = re.compile(r"(?m)^\S.*(?:\n +\S.*)*")
"""A requirement with the hashes in the lines under it."""


def unit(key: str) -> str:
    """A setting of the unit's service."""
    read = RawConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds the case
    read.read_string(UNIT.read_text("utf-8"))
    return read["Service"][key]


def analyzed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What systemd's tool says of the unit, whose program is that of the tests."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (`.ci/run` has the Debian package)")
    installed = str(Path(sys.executable).with_name("digest"))
    text = UNIT.read_text("utf-8").replace("/usr/local/bin/digest", installed)
    (folder / "digest.service").write_text(text, "utf-8")
    return subprocess.run(
        ["systemd-analyze", *words, str(folder / "digest.service")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )


def test_d9_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    """Every key is known, every program there."""
    done = analyzed(tmp_path, "verify")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_d9_a_worker_runs_by_the_same_unit(tmp_path: Path) -> None:
    """Beside it lies what puts another command in the place of its own, and no more."""
    beside = tmp_path / "digest.service.d"
    beside.mkdir()
    text = (DEPLOY / "worker.conf").read_text("utf-8")
    installed = str(Path(sys.executable).with_name("digest"))
    (beside / "worker.conf").write_text(text.replace("/usr/local/bin/digest", installed), "utf-8")
    done = analyzed(tmp_path, "verify")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    settings = [line for line in text.splitlines() if line and not line.startswith("#")]
    command = unit("ExecStart").replace("serve", "worker")
    assert [line for line in settings if "=" in line] == [
        "Description=Paper digest, a worker",
        "ExecStart=",
        f"ExecStart={command}",
    ]


def test_d9_the_unit_is_closed(tmp_path: Path) -> None:
    """What is left open is what a service that fetches, sends and listens needs."""
    done = analyzed(tmp_path, "security", "--offline=yes", f"--threshold={EXPOSED}", "--no-pager")
    assert done.returncode == 0, done.stdout


def test_q15_a_stop_is_given_the_time_that_it_takes() -> None:
    """Longer than mails in flight and requests may take, by systemd and by compose."""
    for given in (unit("TimeoutStopSec"), compose()["stop_grace_period"]):
        assert STOP_S + GRACE_S < int(given.removesuffix("s")) <= 90


def test_d9_only_the_data_can_be_written() -> None:
    """In the container and in the unit: a user without rights, and one folder."""
    service, data = compose(), last("WORKDIR")
    owner = next(words for name, words in instructions() if "--owner" in words)
    assert last("USER") == service["user"]
    uid, gid = map(int, service["user"].split(":"))
    assert uid
    assert f'"--owner={uid}", "--group={gid}"' in owner
    assert data in owner
    assert data == unit("WorkingDirectory") == f"/var/lib/{unit('StateDirectory')}"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    config = dict(one.split("=") for one in last("ENV").split())["DIGEST_CONFIG"]
    assert f"DIGEST_CONFIG={config}" == unit("Environment")
    mounts = {at: rest for _, at, *rest in (one.split(":") for one in service["volumes"])}
    assert mounts == {str(Path(config).parent): ["ro"], data: []}


def test_t10_the_port_is_for_this_machine() -> None:
    """Published on loopback, and the one that the pages have without a word in the config."""
    port = str(Web().port)
    assert compose()["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert last("EXPOSE") == port


def test_the_image_is_made_of_files_that_reach_it() -> None:
    """Whatever is copied exists and is not ignored; nothing else is let through."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert ignored[0] == "*"
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        word
        for name, words in instructions()
        if name == "COPY" and not words.startswith("--from")
        for word in words.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / path).exists() for path in copied)
    assert (DEPLOY / compose()["build"]["context"]).resolve() == ROOT
    assert any(fnmatch("digest/__pycache__", line) for line in ignored)


def test_d5_what_is_installed_is_what_is_tested() -> None:
    """Every package of the image is pinned, by the same version and hashes as in the lock."""
    lock = set(PIN.findall((ROOT / ".ci" / "requirements.txt").read_text("utf-8")))
    pins = PIN.findall((DEPLOY / "requirements.txt").read_text("utf-8"))
    assert pins
    for pin in pins:
        assert "--hash=sha256:" in pin
        assert pin in lock, pin.partition(" ")[0]
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    found = re.search(r"(?s)\ndependencies = \[\n(.*?)\]", project)
    assert found
    names = {pin.partition("==")[0] for pin in pins}
    for wanted in re.findall(r'"([\w.-]+)', found[1]):
        assert wanted.lower().replace(".", "-") in names, f"{wanted}: make lock"
