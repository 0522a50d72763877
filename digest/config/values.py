"""The values of the config: each turns what TOML holds into what the program uses, or says why not.

Every check raises WrongValueError; its message stands alone after `file: [table] key:`. Pure: no
file is touched; a path is joined to the folder of the config, which comes as validation context.
"""

from __future__ import annotations

import glob
import ipaddress
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, time
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from digest.addresses import AddressError, check_address, check_domain, is_free_mail, quoted
from digest.model import WEEKDAYS
from digest.sources import fault_in_kind

MAX_LINE = 200
"""Characters of a name or any other text of one line."""
MAX_WEIGHT = 100
MAX_QUERY = 2000
"""Characters of a search; longer web addresses are cut or refused on the way."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d{1,6})\s*([smhd])")
EVERY = (60, 31 * 86400)
"""Seconds between two fetches of a source, least and most: a minute, a month."""
MAX_AGE_DAYS = 3650
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
LOOSE_CLOCK = re.compile(r"(\d{1,2})[:.h]?([0-5]\d)?(?::00)?\s*([ap]m)?", re.IGNORECASE)
SINGLE_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
SELECTOR = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}")
MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


class WrongValueError(ValueError):
    """A value is no good. Pydantic gathers it with the others, which it does not for TypeError."""


# --- words for faults -----------------------------------------------------------------------


def shown(value: object) -> str:
    """`value` as TOML writes it, on one line; lists and tables by their kind only."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case date() | time():
            return value.isoformat()
    return quoted(str(value)).strip('"')


def nearest(text: str, known: Iterable[str]) -> str:
    """The known word that `text` was meant to be, or empty."""
    folded = {word.casefold(): word for word in known}
    close = get_close_matches(text.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""


def meant(hint: object) -> str:
    """The end of a message that offers `hint`; empty where there is none."""
    return f"; did you mean {shown(hint)}?" if hint not in ("", None) else ""


def either(words: Iterable[object]) -> str:
    """The words in quotes as a choice: `"a", "b" or "c"`."""
    *first, last = map(shown, words)
    return f"{', '.join(first)} or {last}" if first else last


def expect_text(value: object, example: str) -> str:
    """`value` if it is text. Raises: WrongValueError with the example."""
    if not isinstance(value, str):
        raise WrongValueError(f"must be text such as {shown(example)}, not {shown(value)}")
    return value


# --- text -----------------------------------------------------------------------------------


def check_text(text: str) -> str:
    """`text` without control characters but for line ends."""
    for sign in text:
        if sign != "\n" and unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"}:
            raise WrongValueError(f"holds a character that cannot be shown (U+{ord(sign):04X})")
    return text


def check_optional_line(text: str, most: int = MAX_LINE) -> str:
    """`text` if it stays on one line of at most `most` characters; it may be empty."""
    if "\n" in text:
        raise WrongValueError("must stay on one line")
    if len(text) > most:
        raise WrongValueError(f"is longer than {most} characters")
    return check_text(text)


def check_query(text: str) -> str:
    """`text` if it stays on one line; searches may be longer than names."""
    return check_optional_line(text, MAX_QUERY)


def check_line(text: str) -> str:
    """`text` if it is one line that is not blank."""
    if not text.strip():
        raise WrongValueError("must not be empty")
    return check_optional_line(text)


def read_list(value: object) -> tuple[object, ...]:
    """A tuple of what the list holds; a single text is not taken for a list."""
    if isinstance(value, (list, tuple)):
        return tuple(value)
    hint = f"; did you mean [{shown(value)}]?" if isinstance(value, str) else ""
    raise WrongValueError(f"must be a list in square brackets, not {shown(value)}{hint}")


def check_kind(text: str) -> str:
    """`text` if it is a kind of source."""
    if fault := fault_in_kind(text):
        raise WrongValueError(fault)
    return text


# --- addresses ------------------------------------------------------------------------------


def read_sender(value: object) -> tuple[str, str]:
    """(display name, address) of `Name <address>` or of a bare address.

    Free-mail domains are refused: their DMARC policy makes receivers refuse our mail (A5).
    """
    if isinstance(value, tuple) and len(value) == 2:
        name, address = value
    else:
        text = expect_text(value, "Paper digest <digest@example.org>")
        mailbox = MAILBOX.fullmatch(text.strip())
        name, address = mailbox.group("name", "address") if mailbox else ("", text)
    name = check_optional_line(name.strip().strip('"'))
    address = check_address(address)
    domain = address.rpartition("@")[2]
    if is_free_mail(domain):
        raise WrongValueError(
            f"mail from {domain} that {domain} did not send itself is refused by most receivers "
            "(its DMARC policy says so); use an address of a domain of your own"
        )
    return name, address


# --- web addresses --------------------------------------------------------------------------


def split_url(text: str, example: str) -> SplitResult:
    """The parts of an http or https URL with a host and without user, password or blanks."""
    if any(c.isspace() or not c.isprintable() for c in text):
        raise WrongValueError("a web address holds no blanks")
    try:
        url = urlsplit(text)
        url.port  # noqa: B018 - the property raises where the port is no number
    except ValueError:
        raise WrongValueError(f"is no web address such as {shown(example)}") from None
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise WrongValueError(f"{shown(text)} is no web address such as {shown(example)}")
    if "@" in url.netloc:
        raise WrongValueError("a user name and password do not belong in a web address")
    return url


def check_host(text: str) -> str:
    """A host in ASCII: a domain, an IP address, or a single name such as `localhost`."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        if SINGLE_NAME.fullmatch(text):
            return text.lower()
    try:
        return check_domain(text)
    except AddressError:
        name, _, port = text.rpartition(":")
        hint = f"; the port has a key of its own: port = {port}" if name and port.isdigit() else ""
        raise WrongValueError(
            f'{shown(text)} is no host such as "mail.example.org"{hint}'
        ) from None


def is_loopback(host: str) -> bool:
    """Whether `host` names this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_selector(text: str) -> str:
    """A DKIM selector: letters, digits, hyphens, with single dots between."""
    if not SELECTOR.fullmatch(text):
        raise WrongValueError(
            f"{shown(text)} is no selector: letters, digits and hyphens, such as digest"
        )
    return text


def check_base_url(text: str) -> str:
    """The address of the web pages, no slash at its end; https unless on this machine (D7)."""
    url = split_url(text, "https://digest.example.org")
    if not text.isascii() or url.query or url.fragment:
        raise WrongValueError(
            "must be a plain address: no ?, no #, no letters beyond ASCII in its path"
        )
    if url.scheme == "http" and not is_loopback(check_host(url.hostname or "")):
        raise WrongValueError(
            "must begin with https:// (links in mail that anyone can read and change on the way "
            f"are no good; http is for localhost); did you mean {shown('https' + text[4:])}?"
        )
    return text.rstrip("/")


def check_source_url(text: str) -> str:
    """The address of a listing on the web: http or https, no user and password (S1)."""
    if text:
        split_url(text, "https://export.arxiv.org/rss/cs.CL")
    return text


def check_data(text: str, info: ValidationInfo) -> str:
    """Where the data is: a file joined to the config's folder, or a PostgreSQL address as it is.

    The message never shows the value: it may hold a password.
    """
    scheme, found, _ = text.partition("://")
    if not found and "password" not in text.lower():
        check_line(text)
        return text if text == ":memory:" else str(_folder(info) / text)
    if scheme != "postgresql":
        hint = (
            "; did you mean postgresql://?" if scheme.startswith(("postgres", "psql", "pg")) else ""
        )
        raise WrongValueError(
            f'must be a file such as "digest.db" or a postgresql:// address{hint}'
        )
    return text


# --- files ----------------------------------------------------------------------------------


def read_path(value: object, info: ValidationInfo) -> Path:
    """A path joined to the folder of the config."""
    if isinstance(value, Path):
        return value
    text = check_line(expect_text(value, "note.md"))
    return _folder(info) / text


def join_glob(text: str, info: ValidationInfo) -> str:
    """A glob joined to the folder of the config, whose own name is taken literally."""
    if not text or Path(text).is_absolute():
        return text
    return str(Path(glob.escape(str(_folder(info)))) / check_line(text))


def _folder(info: ValidationInfo) -> Path:
    """The folder that relative paths start from; the current one where none is given."""
    return Path((info.context or {}).get("folder", ""))


# --- times ----------------------------------------------------------------------------------


@cache
def zones() -> frozenset[str]:
    """Every IANA time zone name that this machine knows."""
    return frozenset(available_timezones())


def check_timezone(text: str) -> str:
    """`text` if it is an IANA time zone name; else the nearest, by the city alone as well."""
    if text in zones():
        return text
    cities = {name.rpartition("/")[2]: name for name in sorted(zones(), reverse=True)}
    words = text.strip().replace(" ", "_")
    city = nearest(words.rpartition("/")[2], cities)
    hint = nearest(words, zones()) or (cities[city] if city else "")
    raise WrongValueError(
        f'{shown(text)} is no IANA time zone such as "Europe/London"{meant(hint)}'
    )


def read_clock(value: object) -> time:
    """A local time of day in hours and minutes."""
    if isinstance(value, time):
        if value.second or value.microsecond:
            raise WrongValueError(f"must be hours and minutes, not {shown(value)}")
        return value
    text = expect_text(value, "07:30")
    exact = CLOCK.fullmatch(text)
    if exact:
        return time(int(exact[1]), int(exact[2]))
    raise WrongValueError(
        f'must be hours and minutes such as "07:30", not {shown(text)}{meant(_loose_clock(text))}'
    )


def _loose_clock(text: str) -> str:
    """The time that `7:30`, `7.30`, `7pm` or `24:00` was meant to be, or empty."""
    loose = LOOSE_CLOCK.fullmatch(text.strip())
    if not loose:
        return ""
    hour, half = int(loose[1]), (loose[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    hour = 0 if hour == 24 else hour
    return f"{hour:02}:{loose[2] or '00'}" if hour < 24 else ""


def read_days(value: object) -> tuple[str, ...]:
    """The days in the order of the week, each once."""
    days = read_list(value)
    if not days:
        raise WrongValueError("must name one day at least")
    wrong = [day for day in days if day not in WEEKDAYS]
    if wrong:
        hints = [_day(day) if isinstance(day, str) else "" for day in wrong]
        hint = f"; did you mean {', '.join(map(shown, hints))}?" if all(hints) else ""
        raise WrongValueError(f"{', '.join(map(shown, wrong))}: days are {either(WEEKDAYS)}{hint}")
    return tuple(day for day in WEEKDAYS if day in days)


def _day(text: str) -> str:
    """The day that `Monday` or `thurs` was meant to be, or empty."""
    start = text.strip().casefold()[:3]
    return start if start in WEEKDAYS else nearest(text, WEEKDAYS)


def read_every(value: object) -> int:
    """Seconds of a duration such as `30m`, `6h` or `1d`."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise WrongValueError(f"needs a unit: s, m, h or d; did you mean {shown(f'{value}m')}?")
    text = expect_text(value, "6h")
    found = DURATION.fullmatch(text.strip())
    if not found:
        raise WrongValueError(
            f'must be a number and s, m, h or d, such as "30m", "6h" or "1d", not {shown(text)}'
        )
    seconds = int(found[1]) * SECONDS[found[2]]
    if not EVERY[0] <= seconds <= EVERY[1]:
        raise WrongValueError(f'must be from "1m" to "31d", not {shown(text)}')
    return seconds


def write_every(seconds: int) -> str:
    """The duration in its largest whole unit: 5400 becomes `90m`."""
    unit = next(u for u in ("d", "h", "m", "s") if seconds % SECONDS[u] == 0)
    return f"{seconds // SECONDS[unit]}{unit}"


def read_max_age(value: object) -> int | None:
    """Days, or None for `false`: every age."""
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_AGE_DAYS:
        raise WrongValueError(
            f"must be a whole number from 1 to {MAX_AGE_DAYS}, or false for every age, "
            f"not {shown(value)}"
        )
    return value


# --- numbers --------------------------------------------------------------------------------


def read_weight(value: object) -> float:
    """The weight of a keyword: -100..100, not 0, finite."""
    if isinstance(value, dict):
        raise WrongValueError('a term with a dot stands in quotes, such as "gpt-4.5" = 2')
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if not abs(number) <= MAX_WEIGHT or number == 0:  # "not <=" refuses nan as well
        hint = ""
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,2}(\.\d+)?", value):
            hint = f"; did you mean {value} without quotes?"
        raise WrongValueError(
            f"a weight is a number from -{MAX_WEIGHT} to {MAX_WEIGHT} and not 0, "
            f"not {shown(value)}{hint}"
        )
    return float(number)


# --- the types that the tables use ----------------------------------------------------------

Line = Annotated[str, AfterValidator(check_line)]
OptionalLine = Annotated[str, AfterValidator(check_optional_line)]
Query = Annotated[str, AfterValidator(check_query)]
KindName = Annotated[str, AfterValidator(check_kind)]
Text = Annotated[str, AfterValidator(check_text)]
Address = Annotated[str, AfterValidator(check_address)]
Domain = Annotated[str, AfterValidator(check_domain)]
Selector = Annotated[str, AfterValidator(check_selector)]
Host = Annotated[str, AfterValidator(check_host)]
Sender = Annotated[tuple[str, str], BeforeValidator(read_sender)]
BaseUrl = Annotated[str, AfterValidator(check_base_url)]
SourceUrl = Annotated[str, AfterValidator(check_source_url)]
Data = Annotated[str, AfterValidator(check_data)]
FilePath = Annotated[Path, BeforeValidator(read_path)]
Glob = Annotated[str, AfterValidator(join_glob)]
Timezone = Annotated[str, AfterValidator(check_timezone)]
Clock = Annotated[time, BeforeValidator(read_clock)]
Days = Annotated[tuple[str, ...], BeforeValidator(read_days)]
Every = Annotated[int, BeforeValidator(read_every)]
MaxAge = Annotated[int | None, BeforeValidator(read_max_age)]
Weight = Annotated[float, BeforeValidator(read_weight)]
Lines = Annotated[tuple[Line, ...], BeforeValidator(read_list)]
