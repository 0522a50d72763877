"""Digests, frames and mails for the renderer's tests, and ways to look into a mail."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from functools import cache
from typing import Any

from digest.model import (
    Digest,
    Frame,
    Keyword,
    Link,
    Listing,
    Match,
    Message,
    PersonalLinks,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Subscriber,
)
from digest.renderer import Renderer
from digest.templates import packaged_templates

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
ID = "20261120.k3v9x2@example.org"
LINKS = PersonalLinks("https://example.org/m/abc", "https://example.org/u/def")
FRAME = Frame(
    service_name="Paper digest",
    sender=("Paper digest", "digest@example.org"),
    base_url="https://example.org",
    list_id="papers.example.org",
    reply_to="library@example.org",
    postal_address="Library, 1 College Street, Example",
    templates=packaged_templates(),
)
LISTING = Listing(
    key="arxiv:2611.00001",
    source="arxiv",
    title="Draft Models for Speculative Decoding",
    abstract=(
        "A small draft model proposes tokens and a large one accepts them. We bound the number "
        "of accepted tokens. The bound is tight. Nothing else is shown."
    ),
    authors=("Emmy Noether", "Sofia Kovalevskaya", "Ada Lovelace", "Lise Meitner"),
    organization="University of Göttingen",
    url="https://example.org/abs/2611.00001",
    published_at=datetime(2026, 11, 19, 9, tzinfo=UTC),
    votes=118,
    comments=12,
    links=(
        Link("pdf", "https://example.org/pdf/2611.00001"),
        Link("code", "https://example.com/code"),
    ),
)
REASONS = (
    Reason("speculative decoding", "title", 0.42),
    Reason("draft model", "abstract", 0.11, 2),
)
MATCH = Match(LISTING, 0.53, REASONS)
RUNS = (SourceRun("arxiv", NOW, 312, 312, 240, 60, 12, DAY),)


def digest(*matches: Match, section: SectionName = SectionName.FOR_YOU, **fields: Any) -> Digest:
    """A digest of these matches in one section (else of `MATCH`)."""
    shown = matches or (MATCH,)
    values: dict[str, Any] = {
        "subscriber": Subscriber(
            "ada@example.org", Profile(keywords=(Keyword("speculative decoding", 3),))
        ),
        "digest_on": DAY,
        "sections": (Section(section, shown),),
        "receipt": Receipt(RUNS, 412, len(shown), len(shown), 0),
    }
    return Digest(**{**values, **fields})


def listing(**fields: Any) -> Listing:
    """`LISTING` with these fields."""
    return replace(LISTING, **fields)


def match(**fields: Any) -> Match:
    """`MATCH` with these fields of its listing."""
    return replace(MATCH, listing=listing(**fields))


@cache
def renderer(frame: Frame = FRAME) -> Renderer:
    """The renderer of a frame, compiled once."""
    return Renderer(frame)


def render(made: Digest | None = None, **others: Any) -> Message:
    """The mail of a digest; `frame`, `message_id`, `date` and `links` may be given."""
    frame = others.get("frame", FRAME)
    return renderer(frame).render(
        made or digest(),
        others.get("message_id", ID),
        others.get("date", NOW),
        others.get("links", LINKS),
    )


def parsed(mail: Message) -> EmailMessage:
    """The message as a mail program reads it."""
    made = email.message_from_bytes(mail.raw, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def field_lines(mail: Message) -> list[str]:
    """The header's fields as raw text, unfolded, in order."""
    head = mail.raw.partition(b"\r\n\r\n")[0].decode("ascii")
    return head.replace("\r\n ", " ").split("\r\n")


def field_names(mail: Message) -> list[str]:
    """The names of the header's fields, in order."""
    return [line.partition(":")[0] for line in field_lines(mail)]


def part(mail: Message, kind: str) -> str:
    """The decoded body part `text/<kind>`."""
    body = parsed(mail).get_body((kind,))
    assert body is not None
    return str(body.get_content())
