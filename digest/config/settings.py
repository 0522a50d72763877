"""The whole config: every table checked, every noun made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from digest.config.relays import ProviderTable, RelayTable, Smtp
from digest.config.returns import BounceMailbox, Bounces
from digest.config.tables import Dkim, Mail, Operator, Service, Web
from digest.config.writing import source_table, subscriber_table
from digest.model import Source, Subscriber

# Up to the last @: a password may hold any sign, and hiding too much does no harm.
PASSWORD = re.compile(r"(?<=://)([^:@/]*):.*@|(?<=password=)[^&]*")


class Config(BaseModel):
    """The settings of one service. `folder` holds the file, `place` names it in faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Service
    mail: Mail
    smtp: Smtp
    relays: tuple[RelayTable, ...] = ()
    providers: tuple[ProviderTable, ...] = ()
    operator: Operator = Operator()
    dkim: Dkim | None = None
    web: Web = Web()
    bounces: Bounces = Bounces()
    bounce_mailbox: BounceMailbox | None = None
    sources: tuple[Source, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    folder: Path = Path()
    place: str = "config.toml"

    def effective(self) -> dict[str, Any]:
        """Every setting in force with plain values, defaults included and secrets hidden."""
        tables = ("service", "mail", "smtp", "operator", "dkim", "web", "bounces")
        shown: dict[str, Any] = {
            name: table.model_dump(mode="json", by_alias=True)
            for name in tables
            if (table := getattr(self, name)) is not None
        }
        shown["service"]["data"] = hide_password(self.service.data)
        shown["mail"]["from"] = "{} <{}>".format(*self.mail.sender).strip()
        for name in ("relays", "providers"):
            if rows := getattr(self, name):
                shown["smtp"][name] = [
                    row.model_dump(mode="json", exclude_none=True) for row in rows
                ]
        if self.bounce_mailbox:
            shown["bounces"]["imap"] = self.bounce_mailbox.model_dump(mode="json")
        shown["sources"] = [source_table(source) for source in self.sources]
        shown["subscribers"] = [subscriber_table(person) for person in self.subscribers]
        return shown


def hide_password(data: str) -> str:
    """A database address with stars for its password."""
    return PASSWORD.sub(lambda found: "***" if found[1] is None else f"{found[1]}:***@", data)
