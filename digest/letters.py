"""Mails that are no digest: links that confirm a sign-up or open preferences, and notes.

Pure: values in, bytes out. Nothing that a visitor typed stands in a letter but the address that it
goes to, or the sign-up form would carry anybody's words to anybody (O3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

import css_inline
from jinja2 import DictLoader, StrictUndefined
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from digest.addresses import check_address
from digest.errors import TemplateError
from digest.model import Frame
from digest.renderer.clean import header_text, line
from digest.renderer.headers import mailbox, unstructured
from digest.renderer.wire import assemble, encode
from digest.renderer.wrapping import wrapped

BUTTON = """
.button { background-color: #1b4f9c; border-radius: 6px; padding: 12px 24px; }
.button-link { color: #ffffff; font-size: 16px; line-height: 24px; font-weight: 700;
  text-decoration: none; display: inline-block; }
.figures { width: 100%; margin: 8px 0 0 0; }
.figure-name { padding: 4px 16px 4px 0; font-size: 15px; line-height: 21px; vertical-align: top; }
.figure { padding: 4px 0; font-size: 15px; line-height: 21px; vertical-align: top; }
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a note under a title: rows of a name and its figure, or sentences."""

    title: str
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says around its one link, which a note may lack; `cause` is why it comes."""

    subject: str
    title: str
    before: tuple[str, ...]
    action: str
    url: str
    after: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    cause: str = ""


def confirmation(service: str, url: str) -> Words:
    """The letter that asks whether a sign-up was meant."""
    name = line(service, 80)
    return Words(
        subject=f"Please confirm your subscription to {name}",
        title="One press to confirm",
        before=(
            f"Someone, hopefully you, asked {name} to send this address a digest of new papers.",
            "Nothing is sent before you confirm it.",
        ),
        action="Confirm the subscription",
        url=url,
        after=(
            "The link works for 48 hours. You can see there what was asked for, and leave again "
            "with one press whenever you like.",
            "You did not ask for this? Then do nothing: no other mail comes, and the request is "
            "deleted after seven days.",
        ),
    )


def invitation(service: str, url: str) -> Words:
    """The letter that asks somebody from another system's list whether they want the mail."""
    name = line(service, 80)
    return Words(
        subject=f"Would you like {name} by mail?",
        title="One press, if you want it",
        before=(
            f"Your address stood on a mailing list of the people who now run {name}: a digest of "
            "new papers by mail.",
            "Nothing is sent before you say yes.",
        ),
        action="Yes, send me the digest",
        url=url,
        after=(
            "The link works for 48 hours. You can see there what you would get, and leave again "
            "with one press whenever you like.",
            "You do not want it? Then do nothing: no other mail comes, and your address is deleted "
            "after seven days.",
        ),
        cause="since your address stood on another list",
    )


def way_in(service: str, url: str) -> Words:
    """The letter with a link to the preferences of someone who is subscribed."""
    name = line(service, 80)
    return Words(
        subject=f"Your link to {name}",
        title="Your preferences",
        before=(
            f"This address is subscribed to {name}, and someone, hopefully you, asked for a way "
            "to its preferences.",
        ),
        action="Open my preferences",
        url=url,
        after=(
            "The link works once, within seven days. Keywords, hour and days can be changed there; "
            "pausing and leaving take one press.",
            "You did not ask for this? Then do nothing: nothing was changed.",
        ),
    )


@dataclass(frozen=True, slots=True)
class Heading:
    """What makes one letter a mail of its own; `message_id` stands without angle brackets."""

    recipient: str
    message_id: str
    date: datetime


def render_letter(
    words: Words, heading: Heading, frame: Frame, templates: tuple[tuple[str, str], ...]
) -> bytes:
    """The letter as it goes over the wire; the same inputs give the same bytes.

    Raises: TemplateError, AddressError.
    """
    environment = _environment(templates)
    values = {"letter": words, **_common(words, heading.recipient, frame)}
    look = dict(frame.templates)
    try:
        text = environment.get_template("letter.txt").render(values).strip("\n") + "\n"
        html = environment.get_template("letter.html").render(
            values | {"dark": Markup(look["dark.css"])}  # noqa: S704 - the operator's own file
        )
    except JinjaError as error:
        raise TemplateError(f"template letter: {error}") from error
    styled = css_inline.inline(
        html,
        extra_css=look["style.css"] + BUTTON,
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
    )
    parts = encode("plain", text), encode("html", styled)
    return assemble(_fields(words, heading, frame), heading.message_id, *parts)


def check_letters(frame: Frame, templates: tuple[tuple[str, str], ...]) -> None:
    """Nothing, if every letter can be made by these templates. Raises: TemplateError."""
    heading = Heading(
        "ada@example.org", "sample@digest.invalid", datetime(2026, 11, 20, tzinfo=UTC)
    )
    for words in (confirmation, way_in):
        render_letter(words("Sample", "https://example.org/confirm/x"), heading, frame, templates)


def _common(words: Words, recipient: str, frame: Frame) -> Mapping[str, str]:
    name, address = frame.sender
    cause = words.cause or f"because of a form on {frame.base_url}"
    return {
        "service": line(frame.service_name, 80),
        "why": f"Sent by {line(name, 80)} ({address}) to {recipient}, {cause}.",
        "postal_address": line(frame.postal_address, 300),
    }


def _fields(words: Words, heading: Heading, frame: Frame) -> list[str]:
    """The header, without the MIME fields: no List fields, as a letter belongs to no list."""
    name, address = frame.sender
    sender = check_address(address)
    return [
        f"From: {mailbox(name, sender)}",
        f"To: {mailbox('', check_address(heading.recipient))}",
        f"Reply-To: {mailbox('', check_address(frame.reply_to or sender))}",
        unstructured("Subject", header_text(words.subject, 150)),
        f"Date: {format_datetime(heading.date)}",
        f"Message-ID: <{heading.message_id}>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
    ]


@lru_cache(maxsize=4)
def _environment(templates: tuple[tuple[str, str], ...]) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=DictLoader(dict(templates)),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["wrapped"] = wrapped
    return made
