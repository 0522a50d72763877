"""Workers of one service on several hosts, and what can be done to them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep

from tests.e2e.service import DIGEST
from tests.soak.hosts import Host, inside

CONNECTIONS = 2
"""To the mail server for each worker; the config says how many they have together."""

LEASE_S = 8

CONFIG = f"""
[service]
base_url = "https://digest.example.org"
data = "{{data}}"
processes = 1
[mail]
from = "Paper digest <digest@example.org>"
[smtp]
host = "{{host}}"
port = {{port}}
tls = "none"
allow_plaintext = true
connections = {{connections}}
lease_s = {LEASE_S}
timeout_s = 20
final_timeout_s = 20
"""


@dataclass
class Worker:
    """A `digest worker` in the folder of its host; `starts` counts how often it was started."""

    host: Host
    folder: Path
    number: int
    starts: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Let it work; its log goes on where that of the one before it ended."""
        self.starts += 1
        with self.log.open("ab") as log, inside(self.host.name):
            self.process = subprocess.Popen([*DIGEST, "worker"], cwd=self.folder, stderr=log)

    @property
    def log(self) -> Path:
        """What all that ran in this place have told."""
        return self.folder / f"worker{self.number}.log"

    @property
    def runs(self) -> bool:
        """Whether it is there, paused or not."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Let it be gone, whatever it was doing."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Let all of its threads stand still."""
        if self.runs:
            self.process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def wake(self) -> None:
        """Let it go on as if nothing had been."""
        if self.runs:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """How it ends when it is asked to."""
        self.wake()
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode


@dataclass(frozen=True)
class Blow:
    """What befalls some workers: how it begins and ends, and how long it lasts."""

    kind: str
    victims: Sequence[Worker]
    lasts_s: float
    begin: Callable[[], None]
    end: Callable[[], None]


def killed(worker: Worker, lasts_s: float) -> Blow:
    """A worker is killed, and another started in its place."""
    return Blow("killed", [worker], lasts_s, worker.kill, worker.start)


def paused(worker: Worker, lasts_s: float) -> Blow:
    """A worker stands still, as one on a virtual machine that is frozen."""
    return Blow("paused", [worker], lasts_s, worker.pause, worker.wake)


def cut_off(host: Host, workers: Sequence[Worker], lasts_s: float, *, near: bool) -> Blow:
    """A host does not reach the database; what it sends to the mail server arrives."""

    def begin() -> None:
        host.cut(near=near)

    def end() -> None:
        host.mend(near=near)

    victims = [one for one in workers if one.host == host]
    return Blow("cut off", victims, lasts_s, begin, end)


class Crowd:
    """The workers of all hosts, each host with a folder, a config, and the key that all share."""

    def __init__(self, folder: Path, key: Path, of: Sequence[Host], workers: int) -> None:
        self._folder = folder
        self._key = key
        self.workers: list[Worker] = []
        for host in of:
            (folder / host.name).mkdir()
            shutil.copy(key, folder / host.name)
            self.workers += [
                Worker(host, folder / host.name, number) for number in range(workers // len(of))
            ]

    def configure(self, data: Callable[[Host], str], port: int) -> None:
        """Write the config of each host; `data` is how it calls the database."""
        for host in {one.host for one in self.workers}:
            connections = CONNECTIONS * len(self.workers)
            text = CONFIG.format(
                data=data(host), host=host.mail, port=port, connections=connections
            )
            (self._folder / host.name / "config.toml").write_text(text, "utf-8")

    def start(self) -> None:
        """Start all of them, a moment apart."""
        for one in self.workers:
            one.start()
            sleep(0.2)

    def revive(self) -> int:
        """Start those anew that ended of themselves; how many."""
        gone = [one for one in self.workers if not one.runs]
        for one in gone:
            one.start()
        return len(gone)

    def close(self) -> list[int]:
        """Stop all of them; how each ended."""
        return [one.stop() for one in self.workers]

    def logs(self) -> str:
        """What all have told."""
        return "".join(one.log.read_text("utf-8") for one in self.workers)
