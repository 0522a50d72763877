"""The tables that say where bounces and complaints arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import check_files, parse_config
from tests.config.building import config, faults

MAILBOX = 'host = "imap.example.org"\nusername = "bounces"\npassword_file = "imap-password"'


def test_without_the_tables_nothing_is_looked_at() -> None:
    """There is a prefix, for a bounce domain that may be set, and no place to read."""
    made = parse_config(config(), "c.toml", Path("/srv/digest"))
    assert made.bounces.prefix == "bounce+"
    assert {made.bounces.maildir, made.bounces.listen, made.bounce_mailbox} == {None}


def test_every_place_may_be_named_at_once() -> None:
    """Maildir, listener and mailbox; paths start at the config's folder."""
    tables = {"bounces": 'maildir = "Maildir"\nlisten = "127.0.0.1:8025"', "bounces.imap": MAILBOX}
    sender = 'from = "digest@example.org"\nbounce_domain = "bounces.example.org"'
    made = parse_config(config(mail=sender, **tables), "c.toml", Path("/srv/digest"))
    assert made.bounces.maildir == Path("/srv/digest/Maildir")
    assert made.bounces.listen == "127.0.0.1:8025"
    assert made.bounce_mailbox
    assert made.bounce_mailbox.port == 993
    shown = made.effective()["bounces"]
    assert shown["imap"]["folder"] == "INBOX"


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ({"bounces": 'prefix = "Bounce+"'}, '[bounces] prefix: "Bounce+": must be up to 30'),
        ({"bounces": f'prefix = "{"b" * 31}"'}, "must be up to 30 small letters"),
        ({"bounces": 'listen = "localhost"'}, '[bounces] listen: "localhost" needs a port'),
        ({"bounces": 'listen = "localhost:25"'}, "listen: takes mail to [mail] bounce_domain only"),
        ({"bounces": "port = 8025"}, "[bounces] port: is no key here"),
        ({"bounces.imap": 'host = "imap.example.org"'}, "[bounces.imap] username: is missing"),
        ({"bounces.imap": MAILBOX + '\ntls = "none"'}, '[bounces.imap] tls: is "none"'),
        ({"bounces.imap": MAILBOX + '\ndone_folder = "INBOX"'}, "[bounces.imap] done_folder: is"),
    ],
)
def test_a_slip_is_named_with_its_place(tables: dict[str, str], fault: str) -> None:
    """File, table, key, and what would do."""
    assert any(fault in found for found in faults(config(**tables))), faults(config(**tables))


def test_d1_the_password_of_the_mailbox_is_a_secret(tmp_path: Path) -> None:
    """A file that others can read is refused, as all secrets are."""
    secret = tmp_path / "imap-password"
    secret.write_text("secret")
    secret.chmod(0o644)
    made = parse_config(config(**{"bounces.imap": MAILBOX}), "c.toml", tmp_path)
    assert any("[bounces.imap] password_file" in fault for fault in check_files(made))
