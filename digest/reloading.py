"""Settings that changed while the service runs: noticed, checked, and taken up whole or not at all.

A change is taken up once its files have stood still from one look to the next, so that a file which
is being written is not read by half: who is missing in it would be unsubscribed. With faults, what
was in force stays so, and the fault is told in the log, on the pages and in the store.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from digest.app import App, renewed
from digest.config import Config, check_files, load_config, settings_files
from digest.errors import ConfigError, StoreError, TemplateError
from digest.templates import own_files
from digest.web import Pulse, check_tokens

logger = logging.getLogger("digest")

FIXED = (
    ("service", "data"),
    ("service", "secret_file"),
    ("web", "host"),
    ("web", "port"),
    ("bounces", "listen"),
)
"""(table, key) of what only a new start changes: the open database, its keys, the open ports."""

Stamps = dict[Path, tuple[int, int, int] | None]
"""A file -> what tells that it was written again; None for one that is not there."""


class Settings:
    """The files of the settings in force, and what has come of the last change of them.

    Those of a `guest`, a machine that only works for the service, do not say who its subscribers
    are: its files may be older than those of the machine that does.
    """

    def __init__(self, app: App, pulse: Pulse, guest: str = "") -> None:
        self._pulse = pulse
        self._guest = guest
        self._taken = self._seen = _stamps(_files(app.config))

    def changed(self, app: App, now: datetime, *, asked: bool = False) -> App | None:
        """The parts by the settings as they stand in the files; None where `app` goes on.

        `asked` takes them up at once, changed or not. Raises: StoreError, and tries again.
        """
        path = settings_files(app.config)[0]
        seen = _stamps(self._taken)
        still, self._seen = seen == self._seen, seen
        if not asked and (seen == self._taken or not still):
            return None
        try:
            config = load_config(path)
            # What is written from here on is seen at the next look.
            seen = _stamps(_files(config)) | {path: seen[path]}
            fresh, later = _checked(app, config)
        except StoreError:
            raise
        except (ConfigError, TemplateError) as error:
            self._taken = self._seen = seen
            self._keep(app, now, tuple(_lines(error)))
            return None
        if not self._guest:
            fresh.store.sync_file(config.subscribers, now)
        self._taken = self._seen = seen
        self._take_up(fresh, now, later)
        return fresh

    def _keep(self, app: App, now: datetime, faults: Sequence[str]) -> None:
        """Tell why the settings stay as they are."""
        self._pulse.faults = tuple(faults)
        logger.error("settings.faulty %s", json.dumps({"faults": faults}))
        where = f" on {self._guest}" if self._guest else ""
        said = f"the settings in the files{where} have faults; those from before are in force"
        app.store.note_state(topic(self._guest), [said, *faults], now)

    def _take_up(self, app: App, now: datetime, later: Sequence[str]) -> None:
        """Tell that the settings are in force, and which of them are not before the next start."""
        self._pulse.faults, self._pulse.later = (), tuple(later)
        self._pulse.settings_at = now
        logger.info("settings.taken_up %s", json.dumps({"at_next_start": later}))
        app.store.note_state(topic(self._guest), [waits(one) for one in later], now)


def topic(guest: str = "") -> str:
    """Under which the store keeps what is to be said of settings; of a guest's, under its own."""
    return f"settings {guest}" if guest else "settings"


def waits(key: str) -> str:
    """The sentence on a key that a running service does not change."""
    return f"{key} has changed; that takes effect when the service is started anew"


def _checked(app: App, config: Config) -> tuple[App, list[str]]:
    """The parts by a config, and the keys of it that wait for the next start.

    Raises: ConfigError, TemplateError.
    """
    if faults := check_files(config):
        raise ConfigError(faults)
    check_tokens(config)
    held, later = _with_fixed(config, app.config)
    return renewed(app, held), later


def _with_fixed(config: Config, old: Config) -> tuple[Config, list[str]]:
    """The config with what cannot change as it was before, and the keys that this concerns."""
    later = []
    for name, key in FIXED:
        table, value = getattr(config, name), getattr(getattr(old, name), key)
        if getattr(table, key) != value:
            later.append(f"[{name}] {key}")
            config = config.model_copy(update={name: table.model_copy(update={key: value})})
    return config, later


def _files(config: Config) -> list[Path]:
    return [*settings_files(config), *own_files(config.mail.templates)]


def _stamps(files: Sequence[Path] | Stamps) -> Stamps:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _lines(error: ConfigError | TemplateError) -> list[str]:
    """Each fault as a line of its own."""
    return error.faults if isinstance(error, ConfigError) else [f"[mail] templates: {error}"]
