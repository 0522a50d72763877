"""DKIM signatures, checked by implementations that are not ours: dkimpy and OpenDKIM."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from digest import jobs, press
from digest.app import open_app
from digest.config import Config, parse_config
from digest.dkim import SIGNED, Key, Signer, make_pem, signing_keys
from digest.errors import ConfigError
from digest.mailer import Relay, SmtpMailer
from digest.model import DeliveryState, PersonalLinks
from tests.renderer.mails import HOSTILE, NOW, digest, hostile_digest, match, render
from tests.samples import digest_of, listing
from tests.smtp_server import MailServer, mail_server

PLAIN = PrivateFormat.PKCS8, NoEncryption()
MUST = (
    "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID", "Auto-Submitted",
)  # fmt: skip
"""The fields of rule A2."""


@cache
def key(kind: str) -> Key:
    """The one key of a kind."""
    private = load_pem_private_key(make_pem(kind), password=None)
    assert isinstance(private, RSAPrivateKey | Ed25519PrivateKey)
    return Key(f"digest-{kind}", private)


def signed(raw: bytes, *kinds: str, at: datetime = NOW) -> bytes:
    """The mail signed by RSA and Ed25519, or by the keys of these kinds."""
    keys = [key(kind) for kind in kinds or ("rsa", "ed25519")]
    return Signer("example.org", keys).sign(raw, at)


def verdicts(raw: bytes) -> list[bool]:
    """What dkimpy says of each signature; what it cannot read is no valid one."""
    records = {
        f"{one.selector}._domainkey.example.org.".encode(): one.record.encode()
        for one in (key("rsa"), key("ed25519"))
    }
    found = []
    for index in range(len(re.findall(rb"(?im)^dkim-signature:", raw.partition(b"\r\n\r\n")[0]))):
        try:
            message = dkim.DKIM(raw, minkey=2048)
            found.append(message.verify(index, dnsfunc=lambda name, timeout: records.get(name)))
        except (dkim.DKIMException, ValueError):
            found.append(False)
    return found


def tag(raw: bytes, name: str) -> str:
    """A tag of the first signature, without blanks."""
    head = raw.partition(b"\r\nFrom:")[0].decode("ascii")
    found = re.search(rf"[;:]\s+{name}=([^;]*)", head)
    assert found
    return "".join(found[1].split())


@cache
def mail() -> bytes:
    """A mail with several listings."""
    titles = ("Attention “α” and β", "Dots .. at\nthe end.", "x " * 80)
    return render(digest(*(match(title=title) for title in titles))).raw


@pytest.mark.parametrize("kinds", [("rsa",), ("ed25519",), ("rsa", "ed25519")])
def test_a2_each_signature_is_valid(kinds: tuple[str, ...]) -> None:
    """An independent verifier accepts every signature, and what was signed follows unchanged."""
    made = signed(mail(), *kinds)
    assert verdicts(made) == [True] * len(kinds)
    assert made.endswith(mail())
    assert tag(made, "a") == f"{kinds[0]}-sha256"


def test_a2_what_a_signature_covers() -> None:
    """The fields of the rule in its order, From twice, and never a part of the body only."""
    made = signed(mail())
    covered = tag(made, "h").split(":")
    assert covered[0] == "From"
    assert covered[1 : 1 + len(MUST)] == list(MUST)
    assert covered == list(SIGNED)
    assert tag(made, "c") == "relaxed/relaxed"
    assert not re.search(rb"[; ]l=", made.partition(b"\r\nFrom:")[0])


def test_m17_a_signature_is_folded() -> None:
    """No line of a signature is longer than 78 columns, and all of it is ASCII."""
    head = signed(mail()).partition(b"\r\nFrom:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert head.isascii()


def test_b11_the_same_mail_and_time_give_the_same_bytes() -> None:
    """Nothing is drawn and no clock is read; the time stands in the signature."""
    first, again = signed(mail()), signed(mail())
    assert first == again
    assert tag(first, "t") == str(int(NOW.timestamp()))
    assert signed(mail(), at=NOW + timedelta(seconds=1)) != first


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_mails_of_hostile_text_verify(text: str) -> None:
    """Whatever stands in subject and body, both signatures are valid."""
    assert verdicts(signed(render(hostile_digest(text)).raw)) == [True, True]


@pytest.mark.parametrize("length", [1, 76, 400, 850])
def test_m9_long_unsubscribe_links_verify(length: int) -> None:
    """A field that is never folded is signed as it stands."""
    url = "https://example.org/u/" + "x" * length
    made = signed(render(links=PersonalLinks("https://example.org/m/a", url)).raw)
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in made
    assert verdicts(made) == [True, True]


def test_no_field_that_is_signed_can_be_added() -> None:
    """A second From, or an unsubscribe link in a mail that has none, breaks each signature."""
    bare = render(links=PersonalLinks("", "")).raw
    assert b"List-Unsubscribe" not in bare
    made = signed(bare)
    assert verdicts(made) == [True, True]
    for added in (b"From: <eve@example.com>", b"List-Unsubscribe: <https://example.com/u>"):
        assert verdicts(made.replace(b"\r\nTo:", b"\r\n" + added + b"\r\nTo:")) == [False, False]
        assert verdicts(added + b"\r\n" + made) == [False, False]


def signed_places() -> Iterator[tuple[str, int]]:
    """(field, where) of the first, middle and last octet of each signed field's value."""
    made = signed(mail())
    for name in dict.fromkeys(SIGNED):
        field = re.search(rf"(?<=\r\n){name}: ((?:[^\r]|\r\n )+)\r\n".encode(), made)
        assert field, name
        start, end = field.span(1)
        yield from ((name, where) for where in sorted({start, (start + end) // 2, end - 1}))


def flipped(raw: bytes, where: int, bit: int) -> bytes:
    """The mail with one bit changed."""
    changed = bytearray(raw)
    changed[where] ^= 1 << bit
    return bytes(changed)


def test_a_flipped_bit_in_a_signed_field_is_found() -> None:
    """The first, middle and last octet of each signed field count for both signatures."""
    made = signed(mail())
    for name, where in signed_places():
        for bit in (0, 4):
            assert verdicts(flipped(made, where, bit)) == [False, False], (name, where, bit)


@settings(deadline=None)  # two verifications in Python, on a machine that others use
@given(st.data())
def test_a_flipped_bit_in_the_body_is_found(data: st.DataObject) -> None:
    """Any bit of the body counts for both signatures.

    Left out is the CR of a line end: with one bit it is a tab, and "tab, LF" is a line that ends
    in a blank, which relaxed bodies drop, to a verifier that takes the bare LF. No mail is sent
    with one.
    """
    made = signed(mail())
    start = made.index(b"\r\n\r\n") + 4
    places = [at for at in range(start, len(made)) if made[at : at + 2] != b"\r\n"]
    where = data.draw(st.sampled_from(places))
    assert verdicts(flipped(made, where, data.draw(st.integers(0, 7)))) == [False, False]


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n", b" \r\n", b"\t \r\n\r\n", b".\r\n", b"..\r\n.\r\n", b" . \r\n",
     b"a\r\n\r\n \r\n\t\r\n", b"a  \t b \r\n", b"  a\r\n", b"=20\r\n= \r\n"],
)  # fmt: skip
def test_bodies_at_the_edge_verify(body: bytes) -> None:
    """Empty bodies, dots, and blanks where relaxed bodies have none."""
    assert verdicts(signed(b"From: <a@example.org>\r\nSubject: x\r\n\r\n" + body)) == [True, True]


LINE = st.text(" \tab.=", max_size=12) | st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n")
)


@settings(deadline=None)
@given(st.lists(LINE), st.lists(st.text(" \tab:;=", min_size=1, max_size=12)))
def test_any_body_and_any_folding_verify(lines: list[str], folds: list[str]) -> None:
    """Lines of blanks, tabs, dots and any letters; a subject folded at will."""
    subject = "\r\n ".join(f"x{fold}x" for fold in folds)
    head = f"From: a  <a@example.org>\r\nsubject:\t {subject}  \r\nTO:b@example.org\r\n\r\n"
    raw = (head + "".join(f"{line}\r\n" for line in lines)).encode()
    assert verdicts(signed(raw)) == [True, True]


def test_of_two_fields_the_last_is_signed() -> None:
    """Who names a field once signs the lowest one, as verifiers read them."""
    raw = b"From: <a@example.org>\r\nSubject: first\r\nSubject: second\r\n\r\nx\r\n"
    assert verdicts(signed(raw)) == [True, True]


# --- OpenDKIM -------------------------------------------------------------------------------------

OPENDKIM = shutil.which("opendkim") or shutil.which("opendkim", path="/usr/sbin")


@pytest.mark.skipif(not OPENDKIM, reason="opendkim is not installed (Debian: opendkim)")
def test_opendkim_accepts_both_signatures(tmp_path: Path) -> None:
    """The verifier that many mail servers run passes both, and neither once a word is changed."""
    keys = tmp_path / "keys"
    lines = (
        f"{k.selector}._domainkey.example.org {k.record}\n" for k in map(key, ("rsa", "ed25519"))
    )
    keys.write_text("".join(lines))
    (tmp_path / "conf").write_text(f"Mode v\nTestPublicKeys {keys}\n")
    assert opendkim(tmp_path, signed(mail())) == ["pass", "pass"]
    changed = signed(mail()).replace(b"Why", b"why").replace(b"Because", b"because")
    assert changed != signed(mail())
    assert opendkim(tmp_path, changed) == ["fail", "fail"]


def opendkim(folder: Path, raw: bytes) -> list[str]:
    """The verdict on each signature."""
    (folder / "mail").write_bytes(raw)
    words = [str(OPENDKIM), "-vv", "-x", str(folder / "conf"), "-t", str(folder / "mail")]
    run = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return re.findall(r"dkim=(\w+)", run.stdout + run.stderr)


# --- the config and its keys ----------------------------------------------------------------------

CONFIG = """
[service]
base_url = "https://digest.example.org"
[mail]
from = "Paper digest <digest@example.org>"
[smtp]
host = "127.0.0.1"
tls = "none"
[dkim]
domain = "example.org"
selector = "digest-rsa"
key_file = "rsa.pem"
"""
BOTH = 'ed25519_selector = "digest-ed25519"\ned25519_key_file = "ed25519.pem"\n'


def write(path: Path, pem: bytes, mode: int = 0o600) -> None:
    """A key's file."""
    path.write_bytes(pem)
    path.chmod(mode)


def config(folder: Path, more: str = BOTH) -> Config:
    """A config that signs, with the keys of these tests beside it."""
    for kind in ("rsa", "ed25519"):
        write(folder / f"{kind}.pem", key(kind).private.private_bytes(Encoding.PEM, *PLAIN))
    return parse_config(CONFIG + more, "c.toml", folder)


def key_faults(made: Config) -> list[str]:
    """What is wrong with the keys of a config."""
    assert made.dkim
    with pytest.raises(ConfigError) as caught:
        signing_keys(made.dkim, made.place)
    return caught.value.faults


def test_a_config_names_one_key_or_two(tmp_path: Path) -> None:
    """RSA signs first; Ed25519 signs as well where it is named."""
    for more, kinds in (("", ["rsa"]), (BOTH, ["rsa", "ed25519"])):
        made = config(tmp_path, more)
        assert made.dkim
        keys = signing_keys(made.dkim, made.place)
        assert [(one.selector, one.kind) for one in keys] == [(f"digest-{k}", k) for k in kinds]


def test_a_key_that_is_no_good_has_one_exact_line(tmp_path: Path) -> None:
    """Too short, too long, locked, of another kind, no key: each told with its file."""
    small = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
    rsa, ed25519 = key("rsa").private, key("ed25519").private
    locked = PrivateFormat.PKCS8, BestAvailableEncryption(b"x")
    for pem, what in (
        (small.private_bytes(Encoding.PEM, *PLAIN),
         "an RSA key of 1024 bits; 2048 to 4096 are right"),
        (elliptic(SECP256R1()).private_bytes(Encoding.PEM, *PLAIN),
         "a key of a kind that DKIM does not know: RSA and Ed25519 are"),
        (rsa.private_bytes(Encoding.PEM, *locked),
         "a key locked with a passphrase; it is needed without one"),
        (ed25519.private_bytes(Encoding.PEM, *PLAIN),
         "an Ed25519 key; this one has to be RSA"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "no private key as PEM; `digest dkim-key` makes one"),
        ("schlüssel".encode(), "no private key as PEM; `digest dkim-key` makes one"),
    ):  # fmt: skip
        made = config(tmp_path)
        write(tmp_path / "rsa.pem", pem)
        assert key_faults(made) == [f"c.toml: [dkim] key_file: {tmp_path}/rsa.pem holds {what}"]


def test_d1_every_bad_key_is_told_and_none_is_shown(tmp_path: Path) -> None:
    """Both files are looked into; one that others can read is refused."""
    made = config(tmp_path)
    (tmp_path / "rsa.pem").chmod(0o644)
    (tmp_path / "ed25519.pem").unlink()
    assert key_faults(made) == [
        f"c.toml: [dkim] key_file: {tmp_path}/rsa.pem can be read or changed by other people "
        "(mode 644); chmod 600 it",
        f"c.toml: [dkim] ed25519_key_file: {tmp_path}/ed25519.pem does not exist",
    ]
    assert "PRIVATE" not in repr(key("rsa"))


def test_the_service_does_not_start_with_a_bad_key(tmp_path: Path) -> None:
    """A config that wants signatures never sends without them."""
    made = config(tmp_path)
    (tmp_path / "rsa.pem").unlink()
    with pytest.raises(ConfigError), open_app(made, NOW):
        pass


# --- from the ledger to the mail server -----------------------------------------------------------


def delivered(folder: Path, now: datetime) -> tuple[list[bytes], list[bytes]]:
    """(what the server took, what the rows give when they are rendered again)."""
    later = now + timedelta(hours=3)

    async def run(made: Config, server: MailServer) -> list[bytes]:
        mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"))
        again = list[bytes]()
        with open_app(made, now, mailer=mailer) as app:
            papers = [listing(f".{n} “Flash attention” α", abstract=".\n..\n x") for n in range(3)]
            digests = [digest_of(one, *papers) for one in app.store.subscribers()]
            app.store.open_deliveries(app.frame, digests, now)
            tally = await jobs.deliver(
                app,
                lambda: later,
                told=lambda lease, *_: again.append(
                    press.render(app, app.store.delivery_by_id(lease.delivery_id)).raw
                ),
            )
        assert tally == {DeliveryState.SENT: 2}
        return again

    async def main() -> tuple[list[bytes], list[bytes]]:
        people = "".join(
            f'[[subscribers]]\nemail = "{name}@example.org"\n[subscribers.keywords]\nx = 1\n'
            for name in ("ada", "emmy")
        )
        async with mail_server() as server:
            again = await run(config(folder, BOTH + people), server)
            return [one.raw for one in server.taken], again

    return asyncio.run(main())


def test_m10_a_mail_arrives_as_it_was_signed(tmp_path: Path) -> None:
    """What the server took is byte for byte what the row gives again, and both signatures hold."""
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    taken, again = delivered(tmp_path, now)
    assert len(taken) == 2
    assert sorted(taken) == sorted(again)
    for raw in taken:
        assert verdicts(raw) == [True, True]
        assert tag(raw, "t") == str(int(now.timestamp()))


def test_a_mail_without_the_table_is_not_signed(tmp_path: Path) -> None:
    """Where the mail server signs, the bytes go out as they were rendered."""
    made = parse_config(CONFIG.partition("[dkim]")[0], "c.toml", tmp_path)
    with open_app(made, NOW) as app:
        assert app.sign(mail(), NOW) == mail()
