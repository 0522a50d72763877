"""The parts put together from a config: the only place that chooses implementations."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from digest import __version__
from digest.config import Config, RelayTable, check_files, relays_of, smtp_password
from digest.errors import ConfigError, TemplateError
from digest.frames import make_frame, usable_frame
from digest.letters import check_letters
from digest.machines import commons_of, turns_of
from digest.mailer import Commons, Login, Mailer, Provider, Relay, SmtpMailer, check_tls
from digest.model import Frame, Profile
from digest.renderer import Renderer, check_templates
from digest.store import Store
from digest.store.sqlite import SqliteStore
from digest.templates import letter_templates
from digest.tokens import Tokens, read_keys

# What ranks and what fetches take 40 MB and half the time of a start, in each of the processes that
# only make mails, too: they are read where they are needed.
# ruff: noqa: PLC0415
if TYPE_CHECKING:
    from digest.fetcher import Fetcher
    from digest.matcher import Batch, Floors, Likes, Matcher
    from digest.semantic import Model

logger = logging.getLogger("digest")

ARCHIVE = 5000
"""Stored listings that the matcher draws related terms from, the newest ones."""

LONGEST_WINDOW = 7
"""Days that a digest may answer for, beside those over which items roll."""

MONTH = timedelta(days=30)
MOST_OF_MONTH = 20_000
"""How far back a forecast looks, and how many listings it takes: a page cannot wait for more."""

Sign = Callable[[bytes, datetime], bytes]
"""A finished mail and the time it was prepared at -> the mail as it goes out."""


@dataclass(slots=True)
class App:
    """The parts of one running service. `folder` is where the config's relative paths begin.

    `fetcher` makes a fetcher for one run over the sources.
    """

    config: Config
    store: Store
    mailer: Mailer
    frame: Frame
    tokens: Tokens
    folder: Path
    lease_s: float
    sign: Sign
    fetcher: Callable[[], Fetcher]
    model: Model | None = None
    _matcher: tuple[tuple[int, datetime], Sequence[int], Matcher] | None = field(
        default=None, repr=False
    )
    _month: tuple[tuple[int, date], Batch] | None = field(default=None, repr=False)
    _floors: Floors | None = field(default=None, repr=False)

    @property
    def processes(self) -> int:
        """How many processes rank, compose and make mails where there are many."""
        return self.config.service.processes or os.cpu_count() or 1

    @property
    def envelope_sender(self) -> str:
        """The address that bounces go to where no mail is named; see `plain_sender`."""
        return plain_sender(self.config)

    def return_path(self, kind: str, number: int, message_id: str) -> str:
        """The address that bounces of one mail go to, the same for each try (N1).

        `kind` is that of `Tokens.bounce`. It names the mail where the config has a domain for it.
        """
        domain = self.config.mail.bounce_domain
        if not domain:
            return self.envelope_sender
        token = self.tokens.bounce(kind, number, message_id)
        return f"{self.config.bounces.prefix}{token}@{domain}"

    def matcher(self, now: datetime) -> Matcher:
        """A matcher that knows the stored listings' terms; the same one while nothing is added.

        Related terms come from listings that no digest of `now` can show: a listing must not
        speak for itself.
        """
        from digest.matcher import Matcher, Statistics

        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        before = today - timedelta(days=LONGEST_WINDOW + self.config.service.rollover_days)
        key = (self.store.counted_listings(), before)
        if self._matcher is None or self._matcher[0] != key:
            statistics = Statistics(*self.store.term_counts()).blended()
            ids = self.store.recent_ids(ARCHIVE, before)
            if self._matcher and self._matcher[1] == ids:  # which change once a day
                matcher = self._matcher[2].renewed(statistics)
            else:
                archive = self.store.listings_by_id(ids)
                matcher = Matcher(statistics, archive, embedder=self.model)
            self._matcher = key, ids, matcher
        return self._matcher[2]

    def month(self, now: datetime) -> Batch:
        """The listings of the last 30 days, at most the newest 20,000, read once while none comes.

        What a forecast looks back on, and what floors are fitted on.
        """
        key = (self.store.counted_listings(), now.date())
        if self._month is None or self._month[0] != key:
            stored = self.store.candidates(now - MONTH)[-MOST_OF_MONTH:]
            self._month = key, self.matcher(now).read(stored)
        return self._month[1]

    def fitted(
        self,
        profiles: Sequence[Profile],
        now: datetime,
        likes: Sequence[Likes | None] | None = None,
    ) -> list[Profile]:
        """The profiles; those that ask for so many a day with the floor that the month gives."""
        if not any(profile.per_day for profile in profiles):
            return list(profiles)
        from digest.matcher import Floors

        matcher, month = self.matcher(now), self.month(now)
        if self._floors is None or not self._floors.stand_on(matcher, month):
            self._floors = Floors(matcher, month)
        return self._floors.fit(profiles, likes)

    def renderer(self, frame: Frame) -> Renderer:
        """The renderer of a frame, compiled once."""
        return _renderer(frame)


def plain_sender(config: Config) -> str:
    """The address that bounces go to where no mail is named: drafts, and without VERP."""
    domain, prefix = config.mail.bounce_domain, config.bounces.prefix.rstrip("+=_-")
    return f"{prefix}@{domain}" if domain else config.mail.sender[1]


def database_of(config: Config) -> Path | str:
    """The SQLite file of a config, or the address of its PostgreSQL.

    Raises: ConfigError when what speaks to a PostgreSQL is not installed.
    """
    data = config.service.data
    if not data.startswith("postgresql:"):
        return config.folder / data
    check_extra(f"{config.place}: [service] data")
    return data


def check_extra(place: str) -> None:
    """Nothing, if what speaks to a PostgreSQL is installed.

    Raises: ConfigError that names the place where one is asked for.
    """
    if not all(map(find_spec, ("psycopg", "psycopg_pool", "procrastinate"))):
        raise ConfigError(
            [f"{place}: a PostgreSQL needs the extra: pip install 'paper-digest[postgres]'"]
        )


def data_folder(config: Config) -> Path:
    """Where this machine keeps what belongs to the database and does not stand in it."""
    place = database_of(config)
    return place.parent if isinstance(place, Path) else config.folder


def _store(config: Config, hashes: Callable[[str], Sequence[str]]) -> Store:
    place = database_of(config)
    if isinstance(place, Path):
        return SqliteStore(place, hashes)
    from digest.store.postgres.store import PostgresStore

    return PostgresStore(place, config.folder / "digest", hashes)


@lru_cache(maxsize=4)
def _renderer(frame: Frame) -> Renderer:
    return Renderer(frame)


@contextmanager
def open_app(
    config: Config, now: datetime, *, mailer: Mailer | None = None, is_guest: bool = False
) -> Iterator[App]:
    """The parts for a config, the file's subscribers taken in; closed at the end.

    A guest, who only works for a service, takes in nobody: his file may be older than that of the
    service. Raises: ConfigError, StoreError.
    """
    app = parts(config, mailer)
    try:
        app.store.notice_restore(now)
        if not is_guest:
            app.store.sync_file(config.subscribers, now)
        yield app
    finally:
        app.store.close_store()


def parts(config: Config, mailer: Mailer | None = None) -> App:
    """The same with the subscribers as the store has them, for another process of one service.

    Raises: ConfigError, StoreError.
    """
    tokens = Tokens(read_keys(config.service.secret_file))
    frame, sign = usable_frame(config), signing(config)
    store = _store(config, tokens.fingerprints)
    return App(
        config=config,
        store=store,
        mailer=mailer or smtp_mailer(config, commons_of(store)),
        frame=frame,
        tokens=tokens,
        folder=config.folder,
        lease_s=config.smtp.lease_s,
        sign=sign,
        fetcher=lambda: fetcher(config, store),
        model=model(config),
    )


def renewed(app: App, config: Config) -> App:
    """The parts by other settings, on the same store and secret key; `app` stays as it is.

    What was learned holds where its settings do: of the mail servers, and of the stored listings.
    Raises: ConfigError, TemplateError.
    """
    frame, mailer = make_frame(config), smtp_mailer(config, commons_of(app.store))
    if config.mail.templates:
        check_templates(frame)
    known = app.mailer
    keeps_mailer = not isinstance(known, SmtpMailer) or known.is_like(mailer)
    keeps_model = config.service.semantic == app.config.service.semantic
    if not keeps_model:
        check_model(config)
    return replace(
        app,
        config=config,
        mailer=known if keeps_mailer else mailer,
        frame=frame,
        lease_s=config.smtp.lease_s,
        sign=signing(config),
        fetcher=lambda: fetcher(config, app.store),
        model=app.model if keeps_model else model(config),
        _matcher=app._matcher if keeps_model else None,
        _month=app._month if keeps_model else None,
        _floors=app._floors if keeps_model else None,
    )


def model(config: Config) -> Model | None:
    """The sentence model that the config names, or None.

    Raises: ConfigError when it is not there, or the extra is not installed.
    """
    from digest.semantic import find_model

    named, place = config.service.semantic, f"{config.place}: [service] semantic"
    return find_model(named, config.folder, place) if named else None


def check_model(config: Config) -> None:
    """Nothing, if the sentence model that the config names can be read, or it names none.

    Raises: ConfigError.
    """
    if found := model(config):
        found.embed([config.service.name])


def faults_of(config: Config) -> list[str]:
    """A line for each file that a config names and that cannot be used, templates included."""
    if faults := check_files(config):
        return faults
    try:
        database_of(config)
        signing(config)
        relays(config)
        check_model(config)
        frame = make_frame(config)
        check_templates(frame)
        check_letters(frame, letter_templates(config.mail.templates))
    except ConfigError as error:
        return error.faults
    except TemplateError as error:
        return [f"{config.mail.templates}: {error}"]
    return []


def fetcher(config: Config, store: Store) -> Fetcher:
    """A fetcher for one run over the sources; it names a contact to those who are asked."""
    from digest.fetcher import Fetcher, Pace

    contact = config.mail.reply_to or config.mail.sender[1]
    return Fetcher(
        user_agent=f"paper-digest/{__version__} (+{contact})",
        allowed_hosts=config.service.allowed_hosts,
        pace=Pace(turns_of(store, data_folder(config))),
    )


def signing(config: Config) -> Sign:
    """What signs the mails of a config; mails stay as they are where the mail server signs.

    Raises: ConfigError when a key cannot be used.
    """
    if config.dkim is None:
        return lambda raw, prepared_at: raw
    from digest.dkim import Signer, signing_keys

    return Signer(config.dkim.domain, signing_keys(config.dkim, config.place)).sign


def smtp_mailer(config: Config, commons: Commons | None = None) -> SmtpMailer:
    """What sends through the mail servers of a config, within the limits of each receiver.

    `commons` are those of all processes that send; without them it is alone.

    Raises: ConfigError when a password or a certificate cannot be read.
    """
    providers = [Provider(**one.model_dump()) for one in config.providers]
    return SmtpMailer(*relays(config), providers=providers, commons=commons)


def relays(config: Config) -> list[Relay]:
    """The mail servers of a config, that of [smtp] first.

    Raises: ConfigError when a password or a certificate cannot be read.
    """
    return [_relay(config, place, table) for place, table in relays_of(config)]


def _relay(config: Config, place: str, table: RelayTable) -> Relay:
    login = Login(
        username=table.username or "",
        password=smtp_password(config, relay=(place, table)) or "",
        auth=table.auth,
        token_file=table.token_file,
        token_command=table.token_command,
    )
    same = RELAY_KEYS & table.model_dump().keys()
    made = Relay(
        login=login,
        ehlo_name=config.smtp.ehlo_name or "",
        **{key: getattr(table, key) for key in same},
    )
    try:
        check_tls(made)
    except OSError as error:
        raise ConfigError([f"{config.place}: {place} {error}"]) from error
    return made


RELAY_KEYS = {field.name for field in fields(Relay)} - {"ehlo_name"}
"""What a relay takes from its table as it stands there."""
