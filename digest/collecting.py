"""The story of fetching: what has come back to our places is taken back, one mail after the other.

Each place lets go of a mail once its story is recorded; a place in trouble keeps nobody from the
others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from digest.app import App
from digest.clock import Clock
from digest.config import BounceMailbox, read_secret
from digest.errors import DigestError
from digest.postbox import Account, Taker, empty_mailbox, empty_maildir, listening
from digest.returns import Verdict, is_ours, take_back


def has_places(app: App) -> bool:
    """Whether the config names a place that has to be looked into."""
    return bool(app.config.bounces.maildir or app.config.bounce_mailbox)


def collect(app: App, clock: Clock, *, maildir: bool = True, mailbox: bool = True) -> int:
    """Take back what waits in the Maildir and in the mailbox; returns how many mails.

    Raises: DigestError with every place that could not be read, once the others were.
    """
    count, faults = 0, list[str]()
    places = [*(_maildir(app) if maildir else ()), *(_mailbox(app) if mailbox else ())]
    for place in places:
        try:
            count += place(_taker(app, clock))
        except DigestError as error:
            faults.append(str(error))
    if faults:
        raise DigestError("\n".join(faults))
    return count


@asynccontextmanager
async def open_listener(current: Callable[[], App], clock: Clock) -> AsyncIterator[int | None]:
    """Take back what a mail server hands over meanwhile; gives the port, None without one.

    `current` gives the parts as they are at that moment.

    Raises: DigestError when the port cannot be had.
    """
    place = current().config.bounces.listen
    if not place:
        yield None
        return

    def take(raw: bytes, sent_to: str) -> Verdict:
        return take_back(current(), raw, clock(), sent_to)

    async with listening(place, lambda address: is_ours(current(), address), take) as port:
        yield port


def _maildir(app: App) -> Iterator[Callable[[Taker], int]]:
    """What empties the Maildir that the config names."""
    if folder := app.config.bounces.maildir:
        yield lambda take: empty_maildir(folder, take)


def _mailbox(app: App) -> Iterator[Callable[[Taker], int]]:
    """What empties the mailbox that the config names."""
    if named := app.config.bounce_mailbox:
        yield lambda take: empty_mailbox(_account(named), take)


def _taker(app: App, clock: Clock) -> Taker:
    return lambda raw, sent_to: take_back(app, raw, clock(), sent_to)


def _account(mailbox: BounceMailbox) -> Account:
    """Who we are at the mailbox. Raises: ConfigError when the password cannot be read."""
    return Account(
        host=mailbox.host,
        port=mailbox.port,
        username=mailbox.username,
        password=read_secret(mailbox.password_file),
        tls=mailbox.tls,
        folder=mailbox.folder,
        done_folder=mailbox.done_folder or "",
        ca_file=mailbox.ca_file,
    )
