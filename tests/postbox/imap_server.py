"""A small IMAP server on loopback with one person's mailboxes, and faults on command."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

LITERAL = re.compile(rb"BODY\.PEEK\[\]<0\.(\d+)>")


@dataclass
class Mailbox:
    """The mails of a server by folder: number -> (flags, bytes), and what it was asked."""

    password: str = "secret"
    capabilities: str = "IMAP4rev1 MOVE UIDPLUS STARTTLS"
    folders: dict[str, dict[int, tuple[set[str], bytes]]] = field(
        default_factory=lambda: {"INBOX": {}}
    )
    refuse: str = ""
    asked: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    port: int = 0

    def put(self, *mails: bytes) -> None:
        """New mails in the inbox."""
        for raw in mails:
            self.folders["INBOX"][len(self.asked) * 100 + len(self.folders["INBOX"]) + 1] = (
                set(),
                raw,
            )

    def unseen(self) -> list[int]:
        """The numbers of what nobody has seen."""
        return [n for n, (flags, _) in self.folders["INBOX"].items() if r"\Seen" not in flags]


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer commands until the client leaves."""
        self.box = cast("Server", self.server).box
        self.folder = ""
        self.say(f"* OK [CAPABILITY {self.box.capabilities}] hello")
        while line := self.rfile.readline():
            tag, _, rest = line.decode("latin-1").strip().partition(" ")
            self.box.asked.append(rest)
            verb = " ".join(rest.split()[:2]).upper()
            verb = verb if verb.startswith("UID ") else verb.split(" ")[0]
            if self.box.refuse and self.box.refuse == verb:
                self.say(f"{tag} NO not today")
                continue
            self.answer(verb, rest)
            self.say(f"{tag} OK done")
            if verb == "STARTTLS" and self.box.tls:
                self.request = self.box.tls.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")
            if verb == "LOGOUT":
                return

    def finish(self) -> None:
        """Close what STARTTLS has put around the connection, too."""
        with suppress(OSError):
            super().finish()
        self.request.close()

    def say(self, text: str | bytes) -> None:
        """Send a line."""
        self.wfile.write((text.encode("latin-1") if isinstance(text, str) else text) + b"\r\n")
        self.wfile.flush()

    def answer(self, verb: str, rest: str) -> None:
        """What comes before the tagged answer."""
        words = re.findall(r'"[^"]*"|\S+', rest)
        names = [word.strip('"') for word in words]
        if verb == "CAPABILITY":
            self.say(f"* CAPABILITY {self.box.capabilities}")
        elif verb == "LOGIN" and names[2] != self.box.password:
            self.say(f"* NO wrong password {names[2]}")
            raise ConnectionError
        elif verb == "CREATE":
            self.box.folders.setdefault(names[1], {})
        elif verb == "SELECT":
            self.folder = names[1]
            self.say(f"* {len(self.mails)} EXISTS")
        elif verb == "UID SEARCH":
            found = [
                str(n)
                for n, (flags, _) in self.mails.items()
                if not ("UNSEEN" in rest and r"\Seen" in flags) and r"\Deleted" not in flags
            ]
            self.say(f"* SEARCH {' '.join(found)}".rstrip())
        elif verb.startswith("UID "):
            self.change(verb, int(names[2]), names, rest)

    def change(self, verb: str, number: int, names: list[str], rest: str) -> None:
        """Fetch, mark, move, copy or delete one mail."""
        flags, raw = self.mails.get(number, (set(), b""))
        if verb == "UID FETCH" and number in self.mails:
            limit = LITERAL.search(rest.encode())
            cut = raw[: int(limit[1])] if limit else raw
            head = f"* 1 FETCH (UID {number} BODY[]<0> {{{len(cut)}}}".encode()
            self.say(head + b"\r\n" + cut + b")")
        elif verb == "UID STORE":
            flags.update(re.findall(r"\\\w+", rest))
        elif verb in {"UID MOVE", "UID COPY"}:
            self.box.folders[names[3]][number] = (set(), raw)
            if verb == "UID MOVE":
                del self.mails[number]
        elif verb == "UID EXPUNGE":
            del self.mails[number]

    @property
    def mails(self) -> dict[int, tuple[set[str], bytes]]:
        """What is in the selected folder."""
        return self.box.folders[self.folder]


class Server(socketserver.ThreadingTCPServer):
    """The listening side."""

    daemon_threads = True
    allow_reuse_address = True
    box: Mailbox
    immediate: ssl.SSLContext | None = None

    def get_request(self) -> tuple[object, object]:  # type: ignore[override]  # sockets of any kind
        """The next connection, encrypted from the start where it is to be."""
        sock, address = super().get_request()
        if self.immediate:
            sock = self.immediate.wrap_socket(sock, server_side=True)
        return sock, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is what the tests want."""


@contextmanager
def imap_server(box: Mailbox, immediate: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A server for these mailboxes while it is open."""
    with Server(("127.0.0.1", 0), Talk) as server:
        server.box, server.immediate = box, immediate
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()
