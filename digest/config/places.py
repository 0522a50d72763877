"""Where things are: hosts, web addresses, the database, files. Checked as text, touched never.

A relative path is joined to the folder of the config, which comes as validation context.
"""

from __future__ import annotations

import glob
import ipaddress
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import ValidationInfo

from digest.addresses import AddressError, check_domain
from digest.config.text import check_line
from digest.config.words import WrongValueError, expect_text, shown

SINGLE_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
SELECTOR = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}")


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


def check_host_port(text: str) -> str:
    """A host as `check_host` has it, with or without a port, such as `feeds.internal:8080`."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        if not 0 < int(port) < 65_536:
            raise WrongValueError(f"{shown(text)}: a port is a number from 1 to 65535")
        return f"{check_host(host)}:{int(port)}"
    return check_host(text)


def is_loopback(host: str) -> bool:
    """Whether `host` names this very machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_network(text: str) -> str:
    """An IP address, or a network such as `10.0.0.0/8`."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise WrongValueError(
            f'{shown(text)} is no IP address or network such as "10.0.0.0/8"'
        ) from None
    return str(network) if "/" in text else str(network.network_address)


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
    if is_address(text):
        return text
    check_line(text)
    return text if text == ":memory:" else str(_folder(info) / text)


def is_address(text: str) -> bool:
    """Whether a database is named by a PostgreSQL address, and not by a file.

    Raises: WrongValueError for what is neither; the message never shows it.
    """
    scheme, found, _ = text.partition("://")
    if not found and "password" not in text.lower():
        return False
    if scheme != "postgresql":
        hint = (
            "; did you mean postgresql://?" if scheme.startswith(("postgres", "psql", "pg")) else ""
        )
        raise WrongValueError(
            f'must be a file such as "digest.db" or a postgresql:// address{hint}'
        )
    return True


def read_path(value: object, info: ValidationInfo) -> Path:
    """A path joined to the folder of the config."""
    path = value if isinstance(value, Path) else check_line(expect_text(value, "note.md"))
    return _folder(info) / path


def join_glob(text: str, info: ValidationInfo) -> str:
    """A glob joined to the folder of the config, whose own name is taken literally."""
    if not text or Path(text).is_absolute():
        return text
    return str(Path(glob.escape(str(_folder(info)))) / check_line(text))


def _folder(info: ValidationInfo) -> Path:
    """The folder that relative paths start from; the current one where none is given."""
    return Path((info.context or {}).get("folder", ""))
