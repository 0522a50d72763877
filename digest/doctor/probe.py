"""One mail to the operator, made like a digest, to see what a receiver makes of ours (A10)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from digest.addresses import check_address
from digest.app import database_of, plain_sender, signing, smtp_mailer
from digest.config import Config
from digest.doctor.finding import Finding, error, fine
from digest.errors import DigestError
from digest.frames import make_frame
from digest.mailer import Envelope
from digest.model import (
    Digest,
    Frame,
    Keyword,
    Listing,
    Match,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    Sent,
    Subscriber,
)
from digest.renderer import Renderer
from digest.store.inspecting import is_subscriber
from digest.tokens import Tokens, read_keys

NOTE = (
    "This is a probe by `digest doctor`, sent to this address alone. It is made like a digest, so"
    " that it shows what becomes of one on its way. Its links change nothing."
)


def check_recipient(config: Config, address: str) -> None:
    """Nothing, if a probe may go there: to the operator, and never to a subscriber (A10).

    Raises: AddressError, DigestError.
    """
    address = check_address(address)
    own = {config.mail.sender[1].lower(), (config.mail.reply_to or "").lower()}
    if address.lower() in own:
        return
    listed = any(one.email.lower() == address.lower() for one in config.subscribers)
    if listed or is_subscriber(database_of(config), address):
        raise DigestError(
            f"{address} is a subscriber, and a probe never goes to one; name an address of yours"
            " that gets no digest, or that of [mail] reply_to"
        )


async def send_probe(
    config: Config, recipient: str, now: datetime, token: Callable[[int], str] = secrets.token_hex
) -> Finding:
    """What the mail server said to one probe for that address.

    Raises: ConfigError, TemplateError when no mail can be made, DigestError where none may go.
    """
    check_recipient(config, recipient)
    if not config.service.secret_file.exists():
        do = "start the service once, or run `digest ingest`: either makes it"
        return error("probe.sent", f"{config.service.secret_file} is not there yet", do)
    frame = replace(make_frame(config), note=NOTE, note_position="above")
    links = Tokens(read_keys(config.service.secret_file)).links(config.service.base_url, 0, now)
    message_id = f"probe.{token(10)}@{config.mail.sender[1].rpartition('@')[2]}"
    raw = Renderer(frame).render(_digest(frame, recipient, now), message_id, now, links).raw
    envelope = Envelope(plain_sender(config), recipient, signing(config)(raw, now))
    async with smtp_mailer(config).session() as session:
        outcome = await session.send(envelope, lambda: True)
    if isinstance(outcome, Sent):
        return fine("probe.sent", f"a probe is on its way to {recipient}: {outcome.reply}")
    do = "read what the server says; nothing else was sent"
    return error("probe.sent", f"the probe was not taken: {outcome.reply}", do)


def _digest(frame: Frame, recipient: str, now: datetime) -> Digest:
    """One item that says what this is."""
    listing = Listing(
        key="title:probe",
        source="digest doctor",
        title=f"A probe of {frame.service_name}",
        abstract="Save this mail as it arrived (“show original”, “view source”) and read it with"
        " `digest doctor --received FILE`: it says who signed what, and what your receiver makes"
        " of it.",
        url=frame.base_url,
    )
    match = Match(listing, 0.5, (Reason("probe", "title", 0.5),))
    subscriber = Subscriber(recipient, Profile((Keyword("probe"),)))
    section = Section(SectionName.FOR_YOU, (match,))
    receipt = Receipt(considered=1, matched=1, shown=1)
    return Digest(subscriber, now.date(), (section,), receipt)
