"""Hosts on this machine: network namespaces with names of their own, wired to one in the middle.

In the middle stand the servers. Each host has two wires to it, one for the database and one for
mail, so either can be cut alone. Nothing outside of these namespaces is touched. It takes root.
Source: ip-netns(8), veth(4), setns(2).
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_CLONE_NEWUTS = 0x0400_0000
_NAMED = Path("/run/netns")
_OWN = Path("/proc/thread-self/ns")

NET = "198.18.0.0/16"
"""Addresses that are for trials and lead nowhere else. Source: RFC 2544 C.2.2."""

_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str:
    """Why hosts cannot be made here; empty where they can."""
    if os.geteuid() != 0:
        return "network namespaces take root"
    if not shutil.which("ip"):
        return "no `ip` is installed (Debian package iproute2)"
    try:
        with hosts(1):
            return ""
    except (subprocess.CalledProcessError, OSError) as error:
        return f"no network namespace can be made here: {error}"


@dataclass(frozen=True)
class Host:
    """A machine of its own as far as names and the network go.

    `database` and `mail` are the addresses in the middle that it reaches the two servers at.
    """

    name: str
    middle: str
    number: int

    @property
    def database(self) -> str:
        """Where the database is for this host."""
        return f"198.18.{self.number}.1"

    @property
    def mail(self) -> str:
        """Where the mail server is for this host."""
        return f"198.18.{self.number}.5"

    def wire(self) -> None:
        """Lay both wires."""
        for wire, end, own in (
            ("db", self.database, f"198.18.{self.number}.2"),
            ("mail", self.mail, f"198.18.{self.number}.6"),
        ):
            far = f"{wire}{self.number}"
            _ip(
                "link", "add", "name", wire, "netns", self.name,
                "type", "veth", "peer", "name", far, "netns", self.middle,
            )  # fmt: skip
            for namespace, device, address in (
                (self.name, wire, own),
                (self.middle, far, end),
            ):
                _ip("-n", namespace, "address", "add", f"{address}/30", "dev", device)
                _ip("-n", namespace, "link", "set", device, "up")

    def cut(self, *, near: bool) -> None:
        """Take the way to the database: at this end, where calls fail at once, or the other one.

        What is on its way then is lost without a word; mail still goes.
        """
        self._set("down", near=near)

    def mend(self, *, near: bool) -> None:
        """Give back the way that was cut at that end."""
        self._set("up", near=near)

    def _set(self, state: str, *, near: bool) -> None:
        namespace, device = (self.name, "db") if near else (self.middle, f"db{self.number}")
        _ip("-n", namespace, "link", "set", device, state)


@contextmanager
def hosts(number: int) -> Iterator[tuple[str, Sequence[Host]]]:
    """The name of the middle, and so many hosts; gone at the end with all that is in them."""
    mark = secrets.token_hex(3)
    middle = f"digest-{mark}-middle"
    of = [Host(f"digest-{mark}-host{n}", middle, n) for n in range(1, number + 1)]
    with ExitStack() as made:
        for name in (middle, *(one.name for one in of)):
            _ip("netns", "add", name)
            made.callback(_ip, "netns", "delete", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for one in of:
            one.wire()
        yield middle, of


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Puts the thread, and the processes that it starts meanwhile, into that namespace.

    They have its name for that of their machine. A socket stays where it was made.
    """
    with ExitStack() as back:
        for kind in ("net", "uts"):
            own = os.open(_OWN / kind, os.O_RDONLY)
            back.callback(os.close, own)
            back.callback(_enter, own)
        _call(_libc.unshare, _CLONE_NEWUTS)
        socket.sethostname(name)
        there = os.open(_NAMED / name, os.O_RDONLY)
        back.callback(os.close, there)
        _enter(there)
        yield


def _enter(namespace: int) -> None:
    _call(_libc.setns, namespace, 0)


def _call(function: ctypes._NamedFuncPointer, *values: int) -> None:
    if function(*values):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
