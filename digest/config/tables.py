"""The tables of the config as frozen models: every key with its type, range, default and meaning.

Owns what a key may hold and which keys belong together. The words here are the reference: the
guide under `docs/` is made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from digest.config.values import (
    Address,
    BaseUrl,
    Clock,
    Data,
    Domain,
    FilePath,
    Host,
    Hosts,
    Line,
    Networks,
    OptionalLine,
    Selector,
    Sender,
    Text,
    Timezone,
)


class Table(BaseModel):
    """One table of the config; unknown keys and values of a wrong type are faults."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        hide_input_in_errors=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    def conflicts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Keys that do not go together: (the keys, the one to blame first; what is wrong)."""
        yield from ()


class Service(Table):
    """The service as a whole."""

    name: Line = Field("Paper digest", description="What readers see as the name of the service.")
    base_url: BaseUrl = Field(
        description="Where people reach the web pages; the links in the mail start with it. "
        "https, or http for localhost only.",
        examples=["https://digest.example.org"],
    )
    timezone: Timezone = Field(
        "UTC",
        description="IANA time zone of subscribers who name none.",
        examples=["Europe/London"],
    )
    data: Data = Field(
        "digest.db",
        repr=False,
        validate_default=True,
        description="The SQLite file, or a `postgresql://` address (needs the extra `postgres`; "
        "docs/postgresql.md).",
    )
    secret_file: FilePath = Field(
        Path("secret.key"),
        validate_default=True,
        description="Holds the key that signs the links in mails. Keep it: with another key the "
        "links of older mails are dead. Mode 600.",
    )
    allowed_hosts: Hosts = Field(
        (),
        description="Hosts of your own network that sources may be on, with the port where it is "
        "not 80 or 443; all other private addresses are refused.",
        examples=[["feeds.internal.example.org:8080"]],
    )
    rollover_days: int = Field(
        2,
        ge=0,
        le=14,
        description="How many days an item that passed the floor but did not fit is offered again.",
    )
    semantic: OptionalLine = Field(
        "",
        description="A sentence model: a folder, or an installed package that carries one. Then "
        "likeness in meaning counts a little, too; needs the extra `semantic`. Without it, words "
        "alone count.",
        examples=["models/potion"],
    )
    processes: int = Field(
        0,
        ge=0,
        le=64,
        description="Processes that prepare digests when thousands are due, and make mails when "
        "hundreds wait; 0 is one for each core. One that prepares takes about 200 MB.",
    )


class Mail(Table):
    """The mail: who sends it and what stands around the items."""

    sender: Sender = Field(
        alias="from",
        description="The sender: a name and an address of a domain of your own.",
        examples=["Paper digest <digest@example.org>"],
    )
    reply_to: Address | None = Field(
        None,
        description="Where replies go, if not to the sender.",
        examples=["library@example.org"],
    )
    bounce_domain: Domain | None = Field(
        None,
        description="Domain that bounces go to, at an address of its own for each mail; without it "
        "they go to the sender's address.",
        examples=["bounces.example.org"],
    )
    list_id: Domain | None = Field(
        None,
        description="Name of the list for mail programs; never change it. `digest.` and the "
        "sender's domain without it.",
        examples=["digest.example.org"],
    )
    postal_address: Text = Field(
        "",
        description="Shown at the foot of each mail, where your law asks for it.",
        examples=["Example Library, 1 High Street, London"],
    )
    note_file: FilePath | None = Field(
        None, description="Markdown file with your note to all readers.", examples=["note.md"]
    )
    note_position: Literal["above", "below"] = Field(
        "above", description="Where your note stands: above the items or below them."
    )
    templates: FilePath | None = Field(
        None,
        description="Folder with your own mail templates, looked up before the packaged ones.",
        examples=["templates"],
    )


class Operator(Table):
    """Who runs the service and is told by mail how it goes; see [operator.md](operator.md)."""

    email: Address | None = Field(
        None,
        description="Where the daily note and alerts go; nothing is sent without it.",
        examples=["operator@example.org"],
    )
    note_at: Clock = Field(
        time(9, 0), description="Time of the note, in the zone of [service].", examples=["09:00"]
    )
    daily: bool = Field(
        True, description="Whether the note comes every day; false leaves the alerts alone."
    )

    @field_serializer("note_at")
    def _written(self, note_at: time) -> str:
        """The time as it is written in the config."""
        return f"{note_at:%H:%M}"


class Dkim(Table):
    """Signing in the service; leave the table out where the mail server signs."""

    domain: Domain = Field(description="The domain that signs.", examples=["example.org"])
    selector: Selector = Field(
        description="Where the public key stands in DNS: `selector._domainkey.domain`.",
        examples=["digest"],
    )
    key_file: FilePath = Field(
        description="The private RSA key as PEM; `digest dkim-key` makes it. Mode 600.",
        examples=["dkim.pem"],
    )
    ed25519_selector: Selector | None = Field(
        None,
        description="Selector of an Ed25519 key that signs as well.",
        examples=["digest-ed25519"],
    )
    ed25519_key_file: FilePath | None = Field(
        None,
        description="That private key as PEM. Mode 600.",
        examples=["dkim-ed25519.pem"],
    )

    def conflicts(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The second key has its selector, and each selector one key."""
        if bool(self.ed25519_selector) != bool(self.ed25519_key_file):
            there, missing = "ed25519_selector", "ed25519_key_file"
            if self.ed25519_key_file:
                there, missing = missing, there
            yield (there, missing), f"needs {missing} as well"
        if (self.ed25519_selector or "").lower() == self.selector.lower():
            yield ("ed25519_selector", "selector"), "is the RSA key's; each key has its own"


class Web(Table):
    """The web pages."""

    host: Host = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    trusted_proxies: Networks = Field(
        (),
        description="Addresses or networks of your own proxies: only they are believed when they "
        "say who a visitor is (`X-Forwarded-For`).",
        examples=[["127.0.0.1"]],
    )
    signups_per_network: int = Field(
        20,
        ge=1,
        le=10_000,
        description="Sign-ups a day from one IPv4 address or one IPv6 network (/64).",
    )
    signups_per_hour: int = Field(
        300, ge=1, le=1_000_000, description="Sign-ups an hour from everybody together."
    )
    api_per_key: int = Field(
        300, ge=1, le=1_000_000, description="Calls of the API a minute with one key."
    )
    api_per_network: int = Field(
        60,
        ge=1,
        le=1_000_000,
        description="Calls of the API a minute without a key, from one IPv4 address or one IPv6 "
        "network (/64).",
    )
    check_domains: bool = Field(
        True,
        description="Asks DNS whether a new address can get mail at all before one is sent there.",
    )
    metrics_token_file: FilePath | None = Field(
        None,
        description="File that holds the token for `/metrics`, at least 16 characters; without it "
        "they answer on this machine only. Mode 600.",
        examples=["metrics-token"],
    )
    admin_token_file: FilePath | None = Field(
        None,
        description="File that holds the token for the admin pages, at least 16 characters; "
        "without it they answer on this machine only. Mode 600.",
        examples=["admin-token"],
    )
