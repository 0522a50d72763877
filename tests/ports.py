"""Ports of loopback for servers that cannot choose one themselves."""

from __future__ import annotations

import os
import random
import socket

FIRST, EACH = 20_000, 1_000
"""Where the first of the processes that share the suite begins, and how many ports each has.

Below 32,768, from where on Linux gives ports to whoever asks for any (ip_local_port_range).
"""

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12
_ours = list(range(FIRST + EACH * _WORKER, FIRST + EACH * (_WORKER + 1)))
random.shuffle(_ours)  # somebody else may run the suite on this machine


def free_port() -> int:
    """A port that nobody listens on, that nobody is given by chance, and no test is told twice."""
    while True:
        port = _ours.pop()
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
