"""What the container runs, as a user without rights on a machine that cannot be written to."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container import command, health_check
from tests.e2e.other_user import NOBODY, reaching
from tests.e2e.pages import write_pages
from tests.e2e.post_office import found
from tests.e2e.service import DIGEST, Service, mail_server_thread
from tests.e2e.test_serve import log_until, wait_until
from tests.ports import free_port

READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro /
findmnt --noheadings --raw --output TARGET --types ext2,ext3,ext4,xfs,btrfs,overlay,tmpfs |
while read -r one; do
    case "$one" in
        "$1" | /dev/*) ;;
        *) mount -o remount,bind,ro "$one" 2>/dev/null || test ! -w "$one" ;;
    esac
done
cd "$1"
shift
exec "$@"
"""
"""A shell that leaves one folder writable, as a container with a volume has it, and goes on."""

CONFINED = (
    "setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
    f"--reuid={NOBODY}", "--regid=nogroup", "--clear-groups", "--pdeathsig=KILL",
)  # fmt: skip

READER = """
[[subscribers]]
email = "ada@example.org"
[subscribers.keywords]
"random graph" = 3
"""

TRIES = """
import pathlib, sys
for path in sys.argv[1:]:
    try:
        pathlib.Path(path, "x").touch()
        print(path, "written")
    except OSError:
        print(path, "closed")
"""


def confined(folder: Path, *words: str) -> list[str]:
    """A command as nobody, who can write to this folder and to no other."""
    reach = reaching() or [found("unshare"), "--mount"]
    return [*reach, "sh", "-c", READ_ONLY, "sh", str(folder), *CONFINED, *words]


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that nobody else may look into; those of pytest are root's alone."""
    if not all(map(shutil.which, ("unshare", "setpriv", "findmnt"))):
        pytest.skip("util-linux is not installed")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("a view of the files of one's own is not allowed here; root has it")
    folder = Path(tempfile.mkdtemp(prefix="confined-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_d9_the_container_s_command_writes_its_data_and_nothing_else(home: Path) -> None:
    """It starts, mails, passes its health check, stops with 0, and its files are closed."""
    (check, *words), (program, *rest) = health_check(), command()
    assert (check, program) == ("python", "digest")
    port = free_port()
    with mail_server_thread() as server:
        service = Service(home, server.port, READER)
        write_pages("ours", home)
        config = home / "config.toml"
        config.write_text(config.read_text().replace("port = 0", f"port = {port}"))
        for path in (home, *home.iterdir()):
            shutil.chown(path, NOBODY, "nogroup")
        process = subprocess.Popen(
            confined(home, *DIGEST, *rest),
            env={**os.environ, "DIGEST_CLOCK": service.now},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            log_until(process, "web.listening")
            wait_until(process, home, 1)
            asked = [word.replace("8080", str(port)) for word in words]
            subprocess.run([sys.executable, *asked], check=True)
        finally:
            process.terminate()
            _, log = process.communicate(timeout=60)
        assert process.returncode == 0, log
        assert len(server.taken) == 1
    made = {path: path.stat() for path in home.glob("digest.db*")}
    assert made
    assert all(stat.S_IMODE(one.st_mode) == 0o600 for one in made.values()), made
    assert (
        subprocess.run([sys.executable, *asked], check=False, stderr=subprocess.DEVNULL).returncode
        != 0
    )


def test_d9_what_the_container_cannot_write_is_closed(home: Path) -> None:
    """So that the test above means something: no other folder takes a file."""
    shutil.chown(home, NOBODY)
    others = ["/", "/tmp", "/var/tmp", "/etc", str(Path(__file__).parent)]  # noqa: S108  # tried
    done = subprocess.run(
        confined(home, sys.executable, "-c", TRIES, str(home), *others),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [f"{home} written", *(f"{one} closed" for one in others)]
