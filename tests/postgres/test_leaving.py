"""Who leaves on one machine while another is about to mail them: the real command sends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from digest.model import SubscriberState
from digest.store.postgres.store import PostgresStore
from digest.tokens import Tokens, read_keys
from tests.e2e.service import beside
from tests.postgres.machines import machine
from tests.samples import NOW
from tests.smtp_server import mail_server

ONE_LINE = "connections = 1\n"
LEAVING = {f"reader{number}@example.org" for number in range(0, 20, 3)}


class Pages:
    """The web pages of a machine, as far as they write down who leaves."""

    def __init__(self, folder: Path, address: str) -> None:
        self.store = PostgresStore(
            address, folder / "digest", Tokens(read_keys(folder / "secret.key")).fingerprints
        )
        self.store.read_counter = "suppressed_read of the machine with the pages"
        self.left: list[str] = []

    def leave(self, email: str) -> None:
        """Unsubscribe; afterwards the reader has been told so."""
        person = self.store.subscriber(email)
        assert person
        self.store.set_state(person.id, SubscriberState.UNSUBSCRIBED, NOW)
        self.left.append(email)


def leaver(pages: list[Pages]) -> Callable[[str, int], None]:
    """A mail server's script: some readers leave when it is about to ask for their mail."""
    recipient = ""

    def script(step: str, before: int) -> None:
        nonlocal recipient
        if step.startswith("RCPT"):
            recipient = step.removeprefix("RCPT <").removesuffix(">")
        elif step == "DATA" and recipient in LEAVING - set(pages[0].left):
            pages[0].leave(recipient)

    return script


@pytest.mark.parametrize("extensions", [("8BITMIME",), ("8BITMIME", "PIPELINING")], ids=len)
def test_n3_who_has_left_on_one_machine_is_not_mailed_by_another(
    tmp_path: Path, address: str, extensions: tuple[str, ...]
) -> None:
    """Though it had handed over the envelope: it asks once more right before the mail itself."""
    pages: list[Pages] = []
    with beside(mail_server(leaver(pages), extensions=extensions)) as server:
        first = machine(tmp_path / "one", server.port, address, ONE_LINE)
        first.run("ingest")
        second = machine(tmp_path / "two", server.port, address, ONE_LINE)
        shutil.copy(first.folder / "secret.key", second.folder)
        pages.append(Pages(first.folder, address))
        second.run("send")
    (ours,) = pages
    mailed = {mail.recipients[0] for mail in server.taken}
    assert len(ours.left) == len(set(ours.left)) >= 4
    assert not mailed & set(ours.left)
    assert len(mailed) >= 8
    second.run("send")
    states = json.loads(second.run("status", "--json"))["deliveries"]
    assert states["sent"] == len(mailed)
    assert states["cancelled"] == len(ours.left)
    # Each machine's file has those who left by it, and the database knows how far it has read.
    journal = ours.store.journal.read_text("ascii").splitlines()
    assert len(journal) == len(ours.left)
    assert ours.store.counter(ours.store.read_counter) == ours.store.journal.stat().st_size
    elsewhere = second.folder / "digest.suppressed"
    assert not elsewhere.exists() or not elsewhere.read_bytes()
    ours.store.close_store()
    again = Pages(first.folder, address)
    assert {again.store.subscriber(one).state for one in ours.left} == {  # type: ignore[union-attr]
        SubscriberState.UNSUBSCRIBED
    }
    again.store.close_store()
