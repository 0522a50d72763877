"""Deliveries into bytes: in this process, or in one for each core when many wait.

A mail is made from its row alone, so it does not matter where. One that cannot be made is given
back with the fault, and holds up nobody. Handing a finished mail of 40 kB from one process to
another costs about 0.1 ms, making it about ten times as much; a process costs a second to start.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from digest.app import App, parts
from digest.config import Config
from digest.crew import Crew, Job
from digest.errors import StoreError, TemplateError
from digest.formats import FORMATS
from digest.frames import warn_of_template, with_packaged_templates
from digest.model import Delivery, Imprint, Message
from digest.store import Lease
from digest.tokens import Tokens

logger = logging.getLogger("digest")

MANY = 256
"""Mails made in this process before others are started: about as long as their start takes."""

PARTS = {"eml": ".eml", "html": ".html", "text": ".txt"}
"""The forms that are a mail or a part of one, with the ends of their files' names."""

FORMS = {
    **PARTS, "atom": ".atom", "json": ".json", "bibtex": ".bib", "ris": ".ris", "markdown": ".md",
}  # fmt: skip
"""Every form in which a digest can be had, with the ends of their files' names."""

More = Callable[[], Awaitable[Sequence[Lease]]]
"""Gives the next deliveries to make; none at the end."""


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of a delivery that is held, or in `fault` why there are none.

    `sender` is the address that its bounces go to. The `imprint` is made with the bytes: to hash
    them takes 0.05 ms, and the one process that sends has less time than those that make.
    """

    lease: Lease
    raw: bytes = b""
    sender: str = ""
    imprint: Imprint | None = None
    fault: str = ""


def render(app: App, delivery: Delivery) -> Message:
    """The mail of a delivery, signed; the same row gives the same bytes. Raises: TemplateError."""
    digest = delivery.digest
    links = app.tokens.links(delivery.frame.base_url, digest.subscriber.id, delivery.prepared_at)
    made = digest, delivery.message_id, delivery.prepared_at, links
    try:
        message = app.renderer(delivery.frame).render(*made)
    except TemplateError as error:
        # It passed its check and fails on this digest: better the packaged mail than none.
        warn_of_template(f"delivery {delivery.id}", error)
        message = app.renderer(with_packaged_templates(delivery.frame)).render(*made)
    return replace(message, raw=app.sign(message.raw, delivery.prepared_at))


def printed(app: App, delivery: Delivery, form: str) -> bytes:
    """A delivery in a form of `FORMS`: its mail, a part of it, or its digest for other programs.

    Raises: TemplateError.
    """
    if form not in PARTS:
        links = app.tokens.links(
            delivery.frame.base_url, delivery.digest.subscriber.id, delivery.prepared_at
        )
        return FORMATS[form](delivery.digest, delivery.frame, links).encode("utf-8")
    mail = render(app, delivery)
    return mail.raw if form == "eml" else (mail.html if form == "html" else mail.text).encode()


def key_mark(tokens: Tokens) -> str:
    """What tells the key that signs links from others, without giving it away."""
    return tokens.fingerprint("links")[:16]


def make(app: App, lease: Lease, known: Mapping[int, Delivery]) -> Made:
    """The bytes of a delivery, which is read unless it is known; its own faults are its own.

    Raises: StoreError.
    """
    try:
        number = lease.delivery_id
        delivery = known.get(number) or app.store.delivery_by_id(number)
        sender = app.return_path("d", delivery.id, delivery.message_id)
        raw = render(app, delivery).raw
        return Made(lease, raw, sender, Imprint.of(raw, key_mark(app.tokens)))
    except StoreError:
        raise
    except Exception as error:
        logger.exception("delivery.unmade %s", json.dumps({"delivery": lease.delivery_id}))
        return Made(lease, fault=f"the mail could not be made: {error}"[:500])


async def mails(app: App, more: More, processes: int, *, many: int = MANY) -> AsyncGenerator[Made]:
    """The mails of all batches that `more` gives, in their order, until it gives none.

    The first `many` are made here, one by one; what is left then in so many processes.
    Raises: StoreError.
    """
    made = 0
    while leases := await more():
        known = _read(app, leases)
        for lease in leases:
            yield make(app, lease, known)
            await asyncio.sleep(0)  # whoever waits for a mail server goes first
        made += len(leases)
        if processes > 1 and made >= many:
            break
    else:
        return
    with Crew(processes, _begin, app.config) as crew:
        async for batch in _in_turn(app, more, crew, processes + 1):
            for one in batch:
                yield one


async def _in_turn(
    app: App, more: More, crew: Crew[Sequence[Lease], list[Made]], ahead: int
) -> AsyncGenerator[list[Made]]:
    """The batches as they come from the crew, in order; so many are worked on at once."""
    waiting = deque[Job[list[Made]]]()
    end = False
    while waiting or not end:
        while not end and len(waiting) < ahead:
            leases = await more()
            end = not leases
            if leases:
                again = partial(_make_all, app, leases)
                waiting.append(crew.hand(leases, again))
        if waiting:
            yield await waiting.popleft().wait()


def _begin(config: Config) -> Callable[[Sequence[Lease]], list[Made]]:
    """What makes the mails of a batch in another process, by its own way to the store."""
    return partial(_make_all, parts(config))


def _make_all(app: App, leases: Sequence[Lease]) -> list[Made]:
    known = _read(app, leases)
    return [make(app, lease, known) for lease in leases]


def _read(app: App, leases: Sequence[Lease]) -> Mapping[int, Delivery]:
    """The deliveries of a batch by one query, for each to be made by itself."""
    return app.store.deliveries_by_id([lease.delivery_id for lease in leases])
