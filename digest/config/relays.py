"""The tables that say how mail leaves: relays, and what each receiver gets of it.

Owns which keys belong together: a login needs one password and encryption. The words here are the
reference: the guide under `docs/` is made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from digest.config.places import is_loopback
from digest.config.tables import Table
from digest.config.values import Domains, FilePath, Host, Line, Lines

PORTS = {"starttls": 587, "tls": 465, "none": 25}
"""The usual port of each TLS mode. Source: RFC 6409, RFC 8314, RFC 5321."""

Fault = tuple[tuple[str, ...], str]


class RelayTable(Table):
    """A further mail server beside that of [smtp], with settings of its own. One table each."""

    host: Host = Field(description="The server's name.", examples=["smtp.example.org"])
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description='`"starttls"` (port 587), `"tls"` (port 465), or `"none"`: unencrypted, to '
        "this machine only.",
    )
    port: int = Field(
        default_factory=lambda found: PORTS[found.get("tls", "starttls")],
        ge=1,
        le=65535,
        description="The usual port of the tls mode without it.",
        examples=[587],
    )
    username: Line | None = Field(
        None, description="Name to log in with.", examples=["digest@example.org"]
    )
    password_file: FilePath | None = Field(
        None, description="File that holds the password. Mode 600.", examples=["smtp-password"]
    )
    password_env: Line | None = Field(
        None,
        description="Environment variable that holds the password, instead of a file.",
        examples=["DIGEST_SMTP_PASSWORD"],
    )
    auth: Literal["auto", "plain", "login", "cram-md5", "xoauth2"] = Field(
        "auto",
        description='How to log in: `"auto"` takes the best way by password that the server '
        'offers; `"xoauth2"` wants a token.',
    )
    token_file: FilePath | None = Field(
        None,
        description="For xoauth2: file that another program keeps a fresh token in, read at each "
        "login. Mode 600.",
        examples=["smtp-token"],
    )
    token_command: Lines = Field(
        (),
        description="For xoauth2: command that prints a fresh token, run at each login, instead of "
        "a file.",
        examples=[["/usr/local/bin/mail-token", "digest"]],
    )
    ca_file: FilePath | None = Field(
        None,
        description="Certificates (PEM) of the authorities that this server's may come from, "
        "instead of those of the system.",
        examples=["relay-ca.pem"],
    )
    cert_file: FilePath | None = Field(
        None,
        description="Our own certificate (PEM) for a server that asks for one.",
        examples=["client.pem"],
    )
    key_file: FilePath | None = Field(
        None,
        description="Its private key, if not in the same file. Mode 600.",
        examples=["client-key.pem"],
    )
    weight: int = Field(
        1,
        ge=0,
        le=100,
        description="Share of the mails where there are several servers; 0 for one that is used "
        "only when all the others are in trouble.",
    )
    connections: int = Field(
        2, ge=1, le=100, description="Connections at a time; begins with one and grows."
    )
    messages_per_connection: int = Field(
        20, ge=1, le=10_000, description="Mails before a connection is closed and a new one opened."
    )
    pipelining: bool = Field(
        True, description="Sends commands in one go to a server that offers PIPELINING."
    )
    rate_per_s: float | None = Field(
        None,
        gt=0,
        le=10_000,
        allow_inf_nan=False,
        description="Mails a second at most; no limit without it.",
        examples=[5],
    )
    timeout_s: int = Field(
        300,
        ge=1,
        le=3600,
        description="Seconds to wait for an answer at most; where RFC 5321 has less (120 for DATA) "
        "that counts.",
    )
    final_timeout_s: int = Field(
        600,
        ge=1,
        le=3600,
        description="Seconds to wait for the answer to a whole mail; if short, mails arrive twice.",
    )
    allow_plaintext: bool = Field(
        False,
        description='Lets `tls = "none"` reach another machine: anyone on the way can read it.',
    )

    def conflicts(self) -> Iterator[Fault]:
        """A login needs one secret and encryption; plain text stays on this machine."""
        yield from self._tokens() if self.auth == "xoauth2" else self._passwords()
        if self.key_file and not self.cert_file:
            yield ("key_file", "cert_file"), "needs cert_file as well"
        if self.tls == "none":
            yield from self._plaintext()

    def _passwords(self) -> Iterator[Fault]:
        if self.username and not (self.password_file or self.password_env):
            message = "needs a password: add password_file or password_env"
            yield ("username", "password_file", "password_env"), message
        if self.password_file and self.password_env:
            yield ("password_env", "password_file"), "stands beside password_file; keep one of them"
        if not self.username and (self.password_file or self.password_env):
            keys = ("password_file",) if self.password_file else ("password_env",)
            yield (*keys, "username"), "needs a username as well"
        if self.token_file or self.token_command:
            key = "token_file" if self.token_file else "token_command"
            yield (key, "auth"), 'is for auth = "xoauth2"'

    def _tokens(self) -> Iterator[Fault]:
        if not self.username:
            yield ("auth", "username"), "needs a username as well"
        if bool(self.token_file) == bool(self.token_command):
            message = '"xoauth2" needs token_file or token_command'
            message += ", not both" if self.token_file else ""
            yield ("auth", "token_file", "token_command"), message
        if self.password_file or self.password_env:
            key = "password_file" if self.password_file else "password_env"
            yield (key, "auth"), 'is of no use to auth = "xoauth2", which wants a token'

    def _plaintext(self) -> Iterator[Fault]:
        """Unencrypted mail to another machine wants a word from the operator; a password, never."""
        certificates = [key for key in ("ca_file", "cert_file", "key_file") if getattr(self, key)]
        if certificates:
            yield (certificates[0], "tls"), 'is of no use to tls = "none"'
        if is_loopback(self.host):
            return
        keys = ("tls", "host", "allow_plaintext")
        if not self.allow_plaintext:
            yield (
                keys,
                f'"none" sends mail to {self.host} unencrypted; use "starttls" or "tls", or say '
                "allow_plaintext = true",
            )
        if self.username:
            yield (
                ("username", *keys),
                f'no password goes over the unencrypted connection that tls = "none" makes to '
                f"{self.host}",
            )


class Smtp(RelayTable):
    """The mail server that takes our mail."""

    ehlo_name: Host | None = Field(
        None,
        description="What this machine calls itself to mail servers; its own full name without it.",
        examples=["digest.example.org"],
    )
    lease_s: int = Field(
        120,
        ge=1,
        le=86_400,
        description="Seconds until another process takes up what a process that died was sending.",
    )


class ProviderTable(Table):
    """A receiver that gets no more than so much of our mail at a time. One table each."""

    name: Line = Field(
        description="Whose limits these are; each once. `google`, `microsoft` and `yahoo` are "
        "known with their domains.",
        examples=["google"],
    )
    domains: Domains = Field(
        (),
        description="Domains of mail addresses that it keeps, beside those that are known.",
        examples=[["example.com", "example.net"]],
    )
    connections: int | None = Field(
        None, ge=1, le=100, description="Mails under way to it at a time.", examples=[2]
    )
    per_minute: int | None = Field(
        None, ge=1, le=1_000_000, description="Mails a minute at most.", examples=[60]
    )
    per_hour: int | None = Field(
        None, ge=1, le=10_000_000, description="Mails an hour at most.", examples=[1000]
    )

    def conflicts(self) -> Iterator[Fault]:
        """A table without a limit or without a domain was meant to be something else."""
        if not self.domains and self.name not in KNOWN_PROVIDERS:
            yield ("domains", "name"), "is missing: which domains does it keep?"
        if not (self.connections or self.per_minute or self.per_hour):
            keys = ("connections", "per_minute", "per_hour")
            yield keys, "is missing: give connections, per_minute or per_hour"


KNOWN_PROVIDERS = frozenset({"google", "microsoft", "yahoo"})
"""Receivers whose domains the mailer knows."""
