"""The command that makes a signing key and says what to put into DNS: dkim-key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from digest.addresses import MAX_DOMAIN, AddressError, check_domain
from digest.cli.saying import say
from digest.config.places import check_selector
from digest.dkim import Key, make_pem, read_key
from digest.errors import DigestError

LONGEST_STRING = 255
"""Octets in one string of a TXT record. Source: RFC 1035 3.3.14, RFC 6376 3.6.2.2."""


def _domain(ctx: click.Context, param: click.Parameter, text: str) -> str:
    try:
        return check_domain(text)
    except AddressError as error:
        raise click.BadParameter(str(error)) from error


def _selector(ctx: click.Context, param: click.Parameter, text: str) -> str:
    try:
        return check_selector(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("dkim-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--domain", required=True, callback=_domain, help="The domain that signs.")
@click.option(
    "--selector", required=True, callback=_selector, help="A name of your choice for this key."
)
@click.option("--ed25519", is_flag=True, help="Make an Ed25519 key instead of RSA with 2048 bits.")
@click.option("--show", is_flag=True, help="Show the record of the key in FILE; make none.")
def dkim_key(file: Path, domain: str, selector: str, ed25519: bool, show: bool) -> None:
    """Make a key that signs mails, and show its DNS record.

    Writes the private key to FILE, for its owner alone; a file that is there is never changed.
    """
    name = f"{selector}._domainkey.{domain}"
    if len(name) > MAX_DOMAIN:
        raise click.UsageError(f"the record's name is longer than {MAX_DOMAIN} characters: {name}")
    if not show:
        _write_key(file, make_pem("ed25519" if ed25519 else "rsa"))
    key = read_key(file, selector)
    if not show:
        say(f"wrote {file}, which is a secret", err=True)
    for line in (*_record(domain, name, key), "", *_settings(domain, file, key)):
        say(line)


def _write_key(path: Path, pem: bytes) -> None:
    """A new file that its owner alone can read, from its first byte on."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(path, flags, mode=0o600), "wb") as opened:
            opened.write(pem)
    except FileExistsError:
        raise DigestError(
            f"{path} exists already; nothing was changed (--show gives the record of its key)"
        ) from None


def _record(domain: str, name: str, key: Key) -> list[str]:
    """The record as a provider's form wants it, and as a line of a zone file."""
    text = key.record
    cuts = range(0, len(text), LONGEST_STRING)
    strings = " ".join(f'"{text[start : start + LONGEST_STRING]}"' for start in cuts)
    return [
        f"1. Add this record to the DNS of {domain}:",
        "",
        f"name  {name}",
        "type  TXT",
        f"text  {text}",
        "",
        f"The same as a line of a zone file, in strings of at most {LONGEST_STRING} characters:",
        "",
        f"{name}. IN TXT ( {strings} )",
    ]


def _settings(domain: str, path: Path, key: Key) -> list[str]:
    """What to write into the config."""
    file = json.dumps(str(path), ensure_ascii=False)  # a JSON string is one of TOML
    if key.kind == "rsa":
        first, prefix = f'domain = "{domain}"', ""
    else:
        first, prefix = (
            "# domain, selector and key_file of an RSA key, and beside them:",
            "ed25519_",
        )
    return [
        "2. Once DNS shows it, add to the config:",
        "",
        "[dkim]",
        first,
        f'{prefix}selector = "{key.selector}"',
        f"{prefix}key_file = {file}",
    ]
