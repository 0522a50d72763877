"""The tables that say where bounces and complaints arrive.

Owns which keys belong together: a password goes over no open connection. The words here are the
reference: the guide under `docs/` is made from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from digest.config.places import is_loopback
from digest.config.tables import Table
from digest.config.values import FilePath, Host, HostPort, Line
from digest.config.words import WrongValueError, shown

IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}
"""The usual port of each TLS mode. Source: RFC 8314 3.2, RFC 9051 2.1."""

PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?[+=_-]?")
LONGEST_PREFIX = 30
"""With the token, which has 32 octets, it stays under the 64 of a local part (RFC 5321 4.5.3.1)."""


def check_prefix(text: str) -> str:
    """What stands before the token in our bounce addresses: small letters, digits, one sign."""
    if not PREFIX.fullmatch(text) or len(text) > LONGEST_PREFIX or ".." in text:
        raise WrongValueError(
            f"{shown(text)}: must be up to {LONGEST_PREFIX} small letters and digits with a + or - "
            'at the end, such as "bounce+"'
        )
    return text


Prefix = Annotated[str, AfterValidator(check_prefix)]


class Bounces(Table):
    """Where bounces and complaints arrive; see [bounces.md](bounces.md)."""

    prefix: Prefix = Field(
        "bounce+",
        description="What stands before the token in the addresses that bounces go to, which are "
        "of `[mail] bounce_domain`.",
    )
    maildir: FilePath | None = Field(
        None,
        description="Maildir that a mail server delivers them to.",
        examples=["/var/mail/bounces"],
    )
    listen: HostPort | None = Field(
        None,
        description="Address and port where a mail server hands them over, by LMTP or SMTP. Takes "
        "no other mail.",
        examples=["127.0.0.1:8025"],
    )
    every_s: int = Field(
        60,
        ge=5,
        le=86_400,
        description="Seconds between two looks into the Maildir and the IMAP mailbox.",
    )

    def conflicts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """An address to listen on has a port."""
        if self.listen and not self.listen.rpartition(":")[2].isdigit():
            yield ("listen",), f"{shown(self.listen)} needs a port, such as {self.listen}:8025"


class BounceMailbox(Table):
    """A mailbox that bounces and complaints are fetched from, by IMAP."""

    host: Host = Field(description="The server's name.", examples=["imap.example.org"])
    tls: Literal["tls", "starttls", "none"] = Field(
        "tls",
        description='`"tls"` (port 993), `"starttls"` (port 143), or `"none"`: unencrypted, to '
        "this machine only.",
    )
    port: int = Field(
        default_factory=lambda found: IMAP_PORTS[found.get("tls", "tls")],
        ge=1,
        le=65535,
        description="The usual port of the tls mode without it.",
        examples=[993],
    )
    username: Line = Field(description="Name to log in with.", examples=["bounces@example.org"])
    password_file: FilePath = Field(
        description="File that holds the password. Mode 600.", examples=["imap-password"]
    )
    folder: Line = Field("INBOX", description="The mailbox that they arrive in.")
    done_folder: Line | None = Field(
        None,
        description="Mailbox that they are moved to once they are recorded; without it they stay "
        "and are marked as seen.",
        examples=["Processed"],
    )
    ca_file: FilePath | None = Field(
        None,
        description="Certificates (PEM) of the authorities that this server's may come from, "
        "instead of those of the system.",
        examples=["imap-ca.pem"],
    )

    def conflicts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """No password goes over a connection that others can read; no folder moves to itself."""
        if self.tls == "none" and not is_loopback(self.host):
            what = 'is "none", which reaches this machine only; use "tls" or "starttls"'
            yield ("tls", "host"), what
        if self.done_folder == self.folder:
            yield ("done_folder", "folder"), "is the mailbox that they arrive in"
