"""The files that a config names: whether they are there, readable, and closed to other people.

The only part of the config that touches files beside the config itself. Reads no content but that
of a secret, and shows none.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from digest.config.relays import RelayTable
from digest.config.settings import Config
from digest.errors import ConfigError

SHORTEST_TOKEN = 16
"""Characters of a token for pages of the operator at least: nobody guesses as many."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The mode bits that let group or world at a file."""


def check_files(config: Config, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A line for each file or variable that the config names and the program cannot use."""
    return [f"{config.place}: {fault}" for fault in _faults(config, environ)]


def relays_of(config: Config) -> Iterator[tuple[str, RelayTable]]:
    """(place, table) of every mail server, that of [smtp] first."""
    yield "[smtp]", config.smtp
    for number, relay in enumerate(config.relays, start=1):
        yield f"[[smtp.relays]] #{number} ({relay.host})", relay


def smtp_password(
    config: Config,
    environ: Mapping[str, str] = os.environ,
    relay: tuple[str, RelayTable] | None = None,
) -> str | None:
    """The password for a mail server (that of [smtp]), None where the config has no login.

    Raises: ConfigError, without the password.
    """
    place, table = relay or ("[smtp]", config.smtp)
    if table.password_env:
        if not environ.get(table.password_env):
            raise ConfigError([f"{config.place}: {_unset(place, table.password_env)}"])
        return environ[table.password_env]
    if table.password_file:
        return read_secret(table.password_file)
    return None


def read_secret(path: Path) -> str:
    """The secret in a file, without the line end.

    Raises: ConfigError when the file is missing, empty, open to other people or no text.
    """
    fault = secret_fault(path)
    if not fault:
        secret = path.read_bytes().decode("utf-8", errors="replace").strip()
        if secret and "\ufffd" not in secret:
            return secret
        fault = f"{path} is no text" if secret else f"{path} holds no secret"
    raise ConfigError([fault])


def secret_fault(path: Path) -> str:
    """Why a secret in this file is no good, or empty."""
    fault = _read_fault(path)
    if fault or os.name != "posix":
        return fault
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & OTHERS:
        return f"{path} can be read or changed by other people (mode {mode:03o}); chmod 600 it"
    return ""


def settings_files(config: Config) -> list[Path]:
    """The files whose content is part of the settings, the config itself first.

    Those that are read anew at each use are left out, and so is the key that signs links.
    """
    named = [config.mail.note_file, config.web.admin_token_file, config.web.metrics_token_file]
    for _, relay in relays_of(config):
        named += [relay.password_file, relay.ca_file, relay.cert_file, relay.key_file]
    if config.dkim:
        named += [config.dkim.key_file, config.dkim.ed25519_key_file]
    return [config.folder / Path(config.place).name, *(path for path in named if path)]


def _faults(config: Config, environ: Mapping[str, str]) -> Iterator[str]:
    """Each fault with its table and key."""
    for place, path in _secrets(config):
        if path and (fault := _held_fault(path, place)):
            yield f"{place}: {fault}"
    for place, relay in relays_of(config):
        if relay.password_env and not environ.get(relay.password_env):
            yield _unset(place, relay.password_env)
        for key in ("ca_file", "cert_file"):
            path = getattr(relay, key)
            if path and (fault := _read_fault(path)):
                yield f"{place} {key}: {fault}"
    mailbox = config.bounce_mailbox
    if mailbox and mailbox.ca_file and (fault := _read_fault(mailbox.ca_file)):
        yield f"[bounces.imap] ca_file: {fault}"
    if config.mail.note_file and (fault := _read_fault(config.mail.note_file)):
        yield f"[mail] note_file: {fault}"
    if config.mail.templates and not config.mail.templates.is_dir():
        yield f"[mail] templates: {config.mail.templates} is no folder"


def _secrets(config: Config) -> Iterator[tuple[str, Path | None]]:
    """(place, path) of every file that holds a secret; the signing key is made on first use."""
    signing = config.service.secret_file
    yield "[service] secret_file", signing if signing.exists() else None
    for place, relay in relays_of(config):
        for key in ("password_file", "token_file", "key_file"):
            yield f"{place} {key}", getattr(relay, key)
    if config.dkim:
        yield "[dkim] key_file", config.dkim.key_file
        yield "[dkim] ed25519_key_file", config.dkim.ed25519_key_file
    if config.bounce_mailbox:
        yield "[bounces.imap] password_file", config.bounce_mailbox.password_file
    yield "[web] admin_token_file", config.web.admin_token_file
    yield "[web] metrics_token_file", config.web.metrics_token_file


def _held_fault(path: Path, place: str) -> str:
    """Why what a file holds is no secret or no token, or empty."""
    try:
        secret = read_secret(path)
    except ConfigError as error:
        return error.faults[0]
    if place.startswith("[web]") and len(secret) < SHORTEST_TOKEN:
        return f"{path} holds fewer than {SHORTEST_TOKEN} characters"
    return ""


def _read_fault(path: Path) -> str:
    """Why a file cannot be read, or empty."""
    try:
        with path.open("rb"):
            return ""
    except FileNotFoundError:
        return f"{path} does not exist"
    except IsADirectoryError:
        return f"{path} is a folder, not a file"
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"


def _unset(place: str, name: str) -> str:
    """The fault of a variable that is not there."""
    return f"{place} password_env: the environment has no variable {name}"
