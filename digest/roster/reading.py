"""From a file to what each of its rows says, line by line: any encoding, any size, any rubbish."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from digest.addresses import AddressError, check_address, quoted
from digest.errors import ConfigError
from digest.roster.cells import READERS, plain_cell
from digest.roster.columns import FORMATS, Columns, columns_of, folded, format_of
from digest.roster.entries import (
    MAX_MAILBOX,
    NOMAIL,
    WORDS,
    Entry,
    Fault,
    There,
    mailbox,
    moment_of,
    name_of,
    worst,
)

MAX_LINE = 200_000
"""Characters of a line that are read; what is longer is more than a cell may hold anyway."""
MAX_CELL = 100_000
HEAD_LINES = 50
"""Lines in which the first that says something has to stand."""
SIGNS = (",", ";", "\t", "|")
"""What parts the cells of a row; the one that the head has most of."""
MANY_NULS = 0.2
"""So large a part of NULs, and a text without a byte order mark has two bytes a character."""


@dataclass(frozen=True, slots=True)
class Roster:
    """A list of people in a file. `columns` is None where a line is a mailbox."""

    path: Path
    format: str
    encoding: str
    columns: Columns | None = None
    sign: str = ","

    @property
    def unused(self) -> tuple[str, ...]:
        """The heads of columns that mean nothing here."""
        return self.columns.unused if self.columns else ()

    @property
    def brings_profiles(self) -> bool:
        """Whether a row can say what somebody wants to read."""
        return self.columns is not None and self.columns.brings_profiles

    @property
    def tells_who_left(self) -> bool:
        """Whether a row can say that somebody unsubscribed from one list of several."""
        return self.columns is not None and self.columns.subscription

    def rows(self) -> Iterator[Entry | Fault]:
        """What each row says, in order; each call reads the file again.

        Raises: OSError.
        """
        with _opened(self.path, self.encoding) as file:
            if self.columns is None:
                yield from _mailboxes(file)
            else:
                yield from _table(file, self.columns, self.sign)


def open_roster(path: Path, wanted: str = "") -> Roster:
    """The list in a file, whose format is found out unless it is named.

    Raises: ConfigError that names the file, and what was looked for.
    """
    if not path.is_file():  # it is read more than once
        reason = "it is no file" if path.exists() else "there is no such file"
        raise ConfigError([f"{path} cannot be read: {reason}"])
    try:
        encoding = encoding_of(path)
        with _opened(path, encoding) as file:
            number, line = _first(file)
    except OSError as error:
        raise ConfigError([f"{path} cannot be read: {error.strerror}"]) from error
    if not line:
        raise ConfigError([f"{path}: holds no line that says anything"])
    sign = max(SIGNS, key=line.count)
    head = next(csv.reader([line], delimiter=sign), [])
    columns = columns_of(head)
    if columns:
        found = format_of(head, columns)
        return Roster(path, wanted or found, encoding, columns, sign)
    if _is_mailbox(line) and wanted in {"", "mailman"}:
        return Roster(path, "mailman", encoding)
    raise ConfigError([f"{path}: line {number}: {_no_head(head, line, wanted)}"])


def _no_head(head: Sequence[str], line: str, wanted: str) -> str:
    """Why a first line is neither a head with an address nor a mailbox."""
    if _is_mailbox(line):
        return f"a {wanted} file begins with the names of its columns; one is `email`"
    if wanted == "mailman":
        return "is no address such as ada@example.org or Ada <ada@example.org>"
    heads = ", ".join(quoted(cell.strip()) for cell in head[:6])
    return (
        f"no column of {heads} is named for the address; name it `email` "
        f"(formats: {', '.join(FORMATS)})"
    )


def encoding_of(path: Path) -> str:
    """The name of a file's encoding: by its mark, UTF-8 where all of it is, else Windows-1252.

    Raises: OSError.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        half = len(head) // 2
        for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            if half and head[start::2].count(0) > 2 * MANY_NULS * half > head[1 - start :: 2].count(
                0
            ):
                return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(1 << 20)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _opened(path: Path, encoding: str) -> TextIO:
    return path.open("r", encoding=encoding, errors="replace", newline="")


def _lines(file: TextIO) -> Iterator[str]:
    """Each line with its end, cut where it is longer than any row can be."""
    while line := file.readline(MAX_LINE):
        more = line
        while len(more) == MAX_LINE and not more.endswith(("\n", "\r")):
            more = file.readline(MAX_LINE)
        yield line if line.endswith(("\n", "\r")) else line + "\n"


def _first(file: TextIO) -> tuple[int, str]:
    """The first line that says something, and its number."""
    for number, line in enumerate(_lines(file), start=1):
        if line.strip() and not line.startswith("#"):
            return number, line.strip("\r\n")
        if number == HEAD_LINES:
            break
    return 1, ""


def _is_mailbox(line: str) -> bool:
    if len(line) > MAX_MAILBOX:
        return False
    if re.fullmatch(r"\S+ has no members", line.strip()):  # what Mailman 3 says of an empty list
        return True
    return "@" in mailbox(line)[1] and not re.search(r"[\s,;|]", mailbox(line)[1])


# --- a line is a mailbox ------------------------------------------------------------------------


def _mailboxes(file: TextIO) -> Iterator[Entry | Fault]:
    """What Mailman lists: `address`, `Name <address>` or `address (Name)`, one a line."""
    for number, line in enumerate(_lines(file), start=1):
        text = line.strip()
        if not text or text.startswith("#") or text.endswith(" has no members"):
            continue
        yield _entry(number, text)


def _entry(line: int, cell: str, **said: Any) -> Entry | Fault:
    """The person of a cell with an address, or what is wrong with it."""
    if len(cell) > MAX_MAILBOX:
        return Fault(line, f"longer than an address can be ({len(cell):,} characters)")
    name, address = mailbox(cell)
    try:
        email = check_address(address)
    except AddressError as error:
        return Fault(line, str(error))
    return Entry(line, email, **{**said, "name": said.get("name") or name})


# --- a line is a row of a table -----------------------------------------------------------------


def _table(file: TextIO, columns: Columns, sign: str) -> Iterator[Entry | Fault]:
    """What each row below the head says."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(_lines(file), delimiter=sign, strict=True)
    passed_head = False
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Fault(line, _torn(error, reader.line_num))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if not passed_head:
            passed_head = not row[0].startswith("#")
            continue
        yield _person(line, row, columns)


def _torn(error: csv.Error, last: int) -> str:
    """What is wrong with a row that ends in the line `last`, if anywhere."""
    if "field larger" in str(error):
        return f"a cell holds more than {MAX_CELL:,} characters; is a quote not closed?"
    if "end of data" in str(error):
        return f"a quote is opened here and not closed; nothing up to line {last} is read"
    return "a quote stands inside of a cell; where it belongs to the text, write it twice"


def _person(line: int, row: Sequence[str], columns: Columns) -> Entry | Fault:
    """What a row says of its person."""
    if len(row) > columns.width:
        return Fault(
            line,
            f"has {len(row)} cells, the head {columns.width}; "
            "a value with the separator in it stands in quotes",
        )
    cells = [plain_cell(cell.strip()) for cell in row] + [""] * (columns.width - len(row))
    if not cells[columns.email]:
        return Fault(line, "has no address")

    def at(meaning: str) -> str:
        return cells[columns.places[meaning]] if meaning in columns.places else ""

    try:
        there = _there(cells, columns)
        settings = {
            name: READERS[name](cells[place]) for name, place in columns.settings if cells[place]
        }
        settings |= _attributes(at("attributes"))
    except ValueError as error:
        return Fault(line, str(error))
    return _entry(
        line,
        cells[columns.email],
        there=there,
        name=name_of(at("name") or f"{at('first')} {at('last')}"),
        settings=settings,
        joined_at=moment_of(at("joined_at")),
        consent=" ".join(at("consent").split()),
        confirmed_at=moment_of(at("confirmed_at")),
        paused_until=moment_of(at("paused_until")),
    )


def _there(cells: Sequence[str], columns: Columns) -> There:
    """How the person of a row stands, by every column that says so. Raises: ValueError."""
    said = [There.SUBSCRIBED]
    for place in columns.states:
        word = folded(cells[place])
        if word not in WORDS:
            raise ValueError(
                f"{quoted(cells[place])} is no state; write active, unconfirmed, paused, "
                "unsubscribed, blocked, bounced or complained"
            )
        said.append(WORDS[word])
    if columns.nomail is not None:
        reason = cells[columns.nomail].strip().lower()
        if reason not in NOMAIL:
            raise ValueError(
                f"{quoted(cells[columns.nomail])} is no `nomail` of Mailman's: off, [A], [B], [U]"
            )
        said.append(NOMAIL[reason])
    return worst(*said)


def _attributes(cell: str) -> dict[str, Any]:
    """The settings in listmonk's JSON: `keywords` and `timezone`; its other keys are its own."""
    if not cell:
        return {}
    try:
        given = json.loads(cell)
    except (ValueError, RecursionError):
        raise ValueError("its attributes are no JSON") from None
    if not isinstance(given, dict):
        return {}
    found = {key: given[key] for key in ("keywords", "timezone") if given.get(key)}
    match found.get("keywords"):
        case str() as text:
            found["keywords"] = READERS["keywords"](text)
        case list() as terms:
            found["keywords"] = dict.fromkeys(map(str, terms), 1)
    return found
