"""From the text of a config to the config, or to all of its faults at once.

`load_config` reads one file; everything else here is pure.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from digest.addresses import AddressError, check_address
from digest.config.faults import describe, keys_of
from digest.config.relays import ProviderTable, RelayTable, Smtp
from digest.config.returns import BounceMailbox, Bounces
from digest.config.rows import SourceTable, SubscriberTable
from digest.config.settings import Config
from digest.config.tables import (
    Dkim,
    Mail,
    Operator,
    Service,
    Table,
    Web,
)
from digest.config.words import nearest, shown
from digest.errors import ConfigError
from digest.model import Source, Subscriber

TABLES: dict[str, type[Table]] = {
    "service": Service,
    "mail": Mail,
    "smtp": Smtp,
    "operator": Operator,
    "dkim": Dkim,
    "web": Web,
    "bounces": Bounces,
    "bounces.imap": BounceMailbox,
}
LISTS: dict[str, type[Table]] = {
    "smtp.relays": RelayTable,
    "smtp.providers": ProviderTable,
    "sources": SourceTable,
    "subscribers": SubscriberTable,
}
POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|(end of document))\)$")
SYNTAX_HINTS = {
    "'=' after a key": '; a term of more than one word stands in quotes: "two words" = 3',
    "invalid value": '; text stands in quotes: key = "text"',
    "'\\'": "; write \\\\ for a backslash, or the text in single quotes",
    "newline or end": '; text stands in quotes: key = "text"',
}
"""What tomllib found -> what was most likely meant."""
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"?|\'[^\']*+\'?')
MAX_DOTS = 100
"""Dots of one line. tomllib's time grows with the square of the dots of a key: 30,000, which are
60 kB, took 18 s."""
T = TypeVar("T", bound=Table)


def load_config(path: Path) -> Config:
    """The config in a file; relative paths in it start from its folder.

    Raises: ConfigError with every fault, one line each.
    """
    place = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError([f"{place}: there is no such file; `digest init` writes one"]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{place}: line {line}: the file is not UTF-8 text"]) from None
    except OSError as error:
        raise ConfigError([f"{place}: cannot be read ({error.strerror})"]) from None
    return parse_config(text, place, path.absolute().parent)


def parse_config(text: str, place: str, folder: Path) -> Config:
    """The config that `text` holds; `place` names it in faults.

    Raises: ConfigError with every fault, one line each.
    """
    reading = Reading(_read_toml(text, place), folder)
    reading.check_names([*TABLES, *LISTS])
    service, mail, smtp = reading.table(Service), reading.table(Mail), reading.table(Smtp)
    dkim = reading.table(Dkim) if "dkim" in reading.data else None
    web, operator = reading.table(Web), reading.table(Operator)
    bounces = reading.table(Bounces)
    mailbox = reading.table(BounceMailbox) if "bounces.imap" in reading.data else None
    if bounces and bounces.listen and mail and not mail.bounce_domain:
        reading.faults.append(
            "[bounces] listen: takes mail to [mail] bounce_domain only; name that too"
        )
    relays = reading.rows(RelayTable, "host")
    providers = reading.rows(ProviderTable, "name", unique=True)
    sources = reading.sources()
    subscribers = reading.subscribers(service.timezone if service else "UTC")
    if reading.faults or not (service and mail and smtp and operator and web and bounces):
        raise ConfigError([f"{place}: {fault}" for fault in reading.faults])
    return Config(
        service=service,
        mail=_complete(mail, service),
        smtp=smtp,
        relays=relays,
        providers=providers,
        operator=operator,
        dkim=dkim,
        web=web,
        bounces=bounces,
        bounce_mailbox=mailbox,
        sources=sources,
        subscribers=subscribers,
        folder=folder,
        place=place,
    )


def parse_subscribers(text: str, place: str, default_timezone: str) -> tuple[Subscriber, ...]:
    """The subscribers of a text that holds nothing but `[[subscribers]]`.

    Raises: ConfigError with every fault, one line each.
    """
    reading = Reading(_read_toml(text, place), Path())
    reading.check_names(["subscribers"])
    subscribers = reading.subscribers(default_timezone)
    if reading.faults:
        raise ConfigError([f"{place}: {fault}" for fault in reading.faults])
    return subscribers


def read_subscriber(table: dict[str, Any], place: str, default_timezone: str) -> Subscriber:
    """The subscriber of one table, as JSON or TOML holds it.

    Raises: ConfigError with every fault, one line each.
    """
    reading = Reading({"subscribers": [table]}, Path())
    people = reading.subscribers(default_timezone)
    if reading.faults:
        raise ConfigError([f"{place}: {fault}" for fault in reading.faults])
    return people[0]


class Reading:
    """One pass over the tables of a text, which gathers the faults on its way."""

    def __init__(self, data: dict[str, Any], folder: Path) -> None:
        self.data = lifted(data)
        self.context = {"folder": folder}
        self.faults: list[str] = []

    def check_names(self, known: list[str]) -> None:
        """Blame what stands at the top level and is no table of a config."""
        self.faults += [
            _stray(name, self.data[name], known) for name in self.data if name not in known
        ]

    def table(self, model: type[T]) -> T | None:
        """The table of this model, None if it has faults."""
        name = next(name for name, of in TABLES.items() if of is model)
        return self._read(model, self.data.get(name, {}), f"[{name}]")

    def sources(self) -> tuple[Source, ...]:
        """The sources without faults; each name once."""
        return tuple(table.source() for table in self.rows(SourceTable, "name", unique=True))

    def rows(self, model: type[T], title: str, *, unique: bool = False) -> tuple[T, ...]:
        """The tables of a list without faults; the key `title` names each of them."""
        name = next(name for name, of in LISTS.items() if of is model)
        rows = list(self._rows(name, title))
        if unique:
            named = [(place, row[title]) for place, row in rows if isinstance(row.get(title), str)]
            self._check_unique(named, title)
        tables = [self._read(model, row, place) for place, row in rows]
        return tuple(table for table in tables if table)

    def subscribers(self, default_timezone: str) -> tuple[Subscriber, ...]:
        """The subscribers without faults; each address once."""
        rows = list(self._rows("subscribers", "email"))
        addresses = ((place, _address(row.get("email"))) for place, row in rows)
        self._check_unique([(place, one) for place, one in addresses if one], "email")
        tables = [self._read(SubscriberTable, row, place) for place, row in rows]
        return tuple(table.subscriber(default_timezone) for table in tables if table)

    def _rows(self, name: str, title: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(place, table) of each `[[name]]`; the place tells the number and the title key."""
        rows = self.data.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.faults.append(
                f"[{name}]: must be written [[{name}]], in two brackets, for each one"
            )
            return
        for number, row in enumerate(rows, start=1):
            known = isinstance(row.get(title), str)
            yield f"[[{name}]] #{number}" + (f" ({shown(row[title])[1:-1]})" if known else ""), row

    def _check_unique(self, titles: list[tuple[str, str]], key: str) -> None:
        """Blame each row that repeats the title of an earlier one, naming both."""
        first: dict[str, str] = {}
        for place, title in titles:
            if title in first:
                self.faults.append(f"{place} {key}: is the same as that of {first[title]}")
            first.setdefault(title, place)

    def _read(self, model: type[T], data: object, place: str) -> T | None:
        """The table in `data`; None after its faults are noted."""
        if not isinstance(data, dict):
            self.faults.append(f"{place}: must be a table, not {shown(data)}")
            return None
        table, bad = self._validate(model, data), set[str]()
        if isinstance(table, ValidationError):
            self.faults += describe(table, model, place)
            bad = {str(detail["loc"][0]) for detail in table.errors()}
            table = self._validate(model, {k: v for k, v in data.items() if k not in bad})
        if isinstance(table, ValidationError):
            return None
        conflicts = [(keys, what) for keys, what in table.conflicts() if bad.isdisjoint(keys)]
        self.faults += [f"{place} {keys[0]}".rstrip() + f": {what}" for keys, what in conflicts]
        return None if bad or conflicts else table

    def _validate(self, model: type[T], data: dict[str, Any]) -> T | ValidationError:
        """The table, or what pydantic has against it."""
        try:
            return model.model_validate(data, context=self.context, by_alias=True, by_name=False)
        except ValidationError as error:
            return error


def lifted(data: dict[str, Any]) -> dict[str, Any]:
    """The tables with those inside of others beside them: `smtp.relays` beside `smtp`."""
    found = dict(data)
    for name in (*TABLES, *LISTS):
        outer, _, inner = name.partition(".")
        table = found.get(outer)
        if inner and isinstance(table, dict) and inner in table:
            found[outer] = {key: value for key, value in table.items() if key != inner}
            found[name] = table[inner]
    return found


def _read_toml(text: str, place: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises: ConfigError with the line of the first syntax fault."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MAX_DOTS and QUOTED.sub("", line).count(".") > MAX_DOTS:
            raise ConfigError(
                [f"{place}: line {number}: more than {MAX_DOTS} dots outside of quotes"]
            )
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ConfigError([f"{place}: the brackets are nested too deep"]) from None
    except ValueError as error:  # TOMLDecodeError, and int() on thousands of digits
        raise ConfigError([_syntax_fault(str(error), text, place)]) from None


def _syntax_fault(message: str, text: str, place: str) -> str:
    """Place, line and what to look for there. The line itself stays unsaid: it may be a secret."""
    found = POSITION.search(message)
    if not found:
        return f"{place}: holds a number that is too long"
    what = message[: found.start()].lower()
    line = found[1] or str(text.rstrip().count("\n") + 1)
    if any(word in what for word in ("overwrite", "twice", "mutate", "duplicate")):
        return f"{place}: line {line}: the key or table stands here a second time"
    if found[3]:
        return f"{place}: line {line}: the text ends where a value, a quote or a bracket is missing"
    hint = next((hint for sign, hint in SYNTAX_HINTS.items() if sign in what), "")
    return f"{place}: line {found[1]}, column {found[2]}: this is not TOML ({what}){hint}"


def _stray(name: str, value: object, known: list[str]) -> str:
    """The fault of a name at the top level that is no table of a config."""
    if isinstance(value, (dict, list)):
        head, hint = shown(name)[1:-1], nearest(name, known)
        owners = [owner for owner, model in (TABLES | LISTS).items() if name in keys_of(model)]
        if hint:
            return f"[{head}]: is no table here; did you mean {_bracketed(hint)}?"
        if owners:
            return f"[{name}]: is no table here; did you mean [{owners[0]}.{name}]?"
        return f"[{head}]: is no table here; tables are {', '.join(map(_bracketed, known))}"
    tables = [table for table in known if "." not in table]
    homes = [table for table in tables if name in keys_of((TABLES | LISTS)[table])]
    home = f"; write it below {' or '.join(map(_bracketed, homes))}" if homes else ""
    return f"{shown(name)[1:-1]}: stands before the first table{home}"


def _bracketed(name: str) -> str:
    """The head of a table as TOML writes it."""
    return f"[[{name}]]" if name in LISTS else f"[{name}]"


def _address(value: object) -> str:
    """The normalised address, or empty where there is none to compare."""
    try:
        return check_address(value) if isinstance(value, str) else ""
    except AddressError:
        return ""


def _complete(mail: Mail, service: Service) -> Mail:
    """The mail settings with what follows from others: display name and list id."""
    name, address = mail.sender
    domain = address.rpartition("@")[2]
    return mail.model_copy(
        update={
            "sender": (name or service.name, address),
            "list_id": mail.list_id or f"digest.{domain}",
        }
    )
