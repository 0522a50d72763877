"""Mail out of an IMAP mailbox: handed over at least once, then let go of, over checked TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from digest.errors import StoreError
from digest.postbox import MAX_BYTES, Account, PostboxError, empty_mailbox
from tests.postbox.imap_server import Mailbox, imap_server

ONE, TWO = b"Subject: one\r\n\r\nOne.\r\n", b"Subject: two\r\n\r\nTwo.\r\n"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    """A server with two new mails."""
    with imap_server(Mailbox()) as made:
        made.put(ONE, TWO)
        yield made


def account(box: Mailbox, **fields: object) -> Account:
    """Who we are there; unencrypted, as it is on this machine."""
    made = Account("127.0.0.1", box.port, "bounces", box.password, tls="none")
    return replace(made, **fields)  # type: ignore[arg-type]  # each test names fields of its own


def emptied(one: Account) -> list[bytes]:
    """What is handed over."""
    taken: list[bytes] = []
    empty_mailbox(one, lambda raw, sent_to: taken.append(raw))
    return taken


def test_n6_mails_are_handed_over_and_marked(box: Mailbox) -> None:
    """The next visit finds nothing new; nothing was deleted."""
    assert emptied(account(box)) == [ONE, TWO]
    assert not box.unseen()
    assert emptied(account(box)) == []
    assert len(box.folders["INBOX"]) == 2


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 MOVE", "IMAP4rev1 UIDPLUS", "IMAP4rev1"])
def test_n6_mails_are_moved_away_where_a_folder_is_named(box: Mailbox, capabilities: str) -> None:
    """By MOVE, else by a copy and a mark; also those that somebody has looked at."""
    box.capabilities = capabilities
    for flags, _ in box.folders["INBOX"].values():
        flags.add(r"\Seen")
    done = account(box, done_folder="Bounces done")
    assert emptied(done) == [ONE, TWO]
    assert [raw for _, raw in box.folders["Bounces done"].values()] == [ONE, TWO]
    assert bool(box.folders["INBOX"]) is (capabilities == "IMAP4rev1")
    assert emptied(done) == []


def test_n6_a_mail_that_was_not_recorded_stays(box: Mailbox) -> None:
    """The first was, the second was not: it comes again, and the first does not."""
    taken: list[bytes] = []

    def take(raw: bytes, sent_to: str) -> None:
        if raw == TWO and taken == [ONE]:
            taken.append(b"")
            raise StoreError("locked")
        taken.append(raw)

    with pytest.raises(StoreError):
        empty_mailbox(account(box), take)
    assert len(box.unseen()) == 1
    empty_mailbox(account(box), take)
    assert taken == [ONE, b"", TWO]


def test_n6_a_mail_whose_mark_was_lost_comes_again(box: Mailbox) -> None:
    """At least once: the server fails between the record and the mark."""
    box.refuse = "UID STORE"
    with pytest.raises(PostboxError, match="STORE was refused: not today"):
        emptied(account(box))
    box.refuse = ""
    assert emptied(account(box)) == [ONE, TWO]


def test_n7_a_mail_that_breaks_the_taker_holds_up_nobody(
    box: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """It leaves its trace in the log and is marked like any other."""
    taken: list[bytes] = []

    def take(raw: bytes, sent_to: str) -> None:
        if raw == ONE:
            raise ZeroDivisionError
        taken.append(raw)

    assert empty_mailbox(account(box), take) == 2
    assert taken == [TWO]
    assert "postbox.broke" in caplog.text


def test_n7_only_the_first_part_of_a_mail_is_fetched(box: Mailbox) -> None:
    """Ten megabytes are not read into memory."""
    box.put(b"x" * 10_000_000)
    assert [len(raw) for raw in emptied(account(box))][-1] == MAX_BYTES


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "wrong-s3cret"}, r"bounces at 127.0.0.1 port \d+: "),
        ({"port": 1}, "port 1: Connection refused"),
        ({"folder": "Nowhere"}, "bounces at 127.0.0.1"),
    ],
)
def test_d1_faults_are_one_line_without_the_password(
    box: Mailbox, fields: dict[str, object], said: str
) -> None:
    """Wrong password, no server, no folder; even where the server repeats the password."""
    with pytest.raises(PostboxError, match=said) as caught:
        emptied(account(box, **fields))
    assert "wrong-s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    """An authority of the test's own, and its certificate as a file."""
    made = trustme.CA()
    path = tmp_path / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    return made, path


def server_tls(authority: trustme.CA, name: str = "127.0.0.1") -> ssl.SSLContext:
    """What a server of that name shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.mark.parametrize("tls", ["tls", "starttls"])
def test_a6_the_mailbox_is_read_over_checked_tls(
    authority: tuple[trustme.CA, Path], tls: str
) -> None:
    """From the start or by STARTTLS; the certificate must be of our authority and for this name."""
    ours, path = authority
    for context, good in (
        (server_tls(ours), True),
        (server_tls(ours, "elsewhere.example"), False),
        (server_tls(trustme.CA()), False),
    ):
        box = Mailbox(tls=context)
        with imap_server(box, context if tls == "tls" else None):
            box.put(ONE)
            one = account(box, tls=tls, ca_file=path)
            if good:
                assert emptied(one) == [ONE]
            else:
                with pytest.raises(PostboxError, match="certificate verify failed"):
                    emptied(one)
                assert not any("LOGIN" in asked for asked in box.asked)
