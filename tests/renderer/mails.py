"""Digests, frames and mails for the renderer's tests, and ways to look into a mail."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

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


HOSTILE = (
    "x=?UTF-8?Q?=0A?=Bcc: a@b.example",
    "a\r\nBcc: b@c.example\r\n\r\nbody",
    "\n.\n\r.\r\n.\r\nMAIL FROM:<a@b.example>\r\n",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    '"><a href="javascript:alert(1)">x</a>',
    "--> <![endif]--> ]]> <!-- {{ 7*7 }} {% raw %} </style></title>",
    "{{ subject }}{% include 'style.css' %}${x}",
    "\u202eevil\u2066 \u200f\u2028\u2029\x85 nul\x00 bell\x07 esc\x1b[31m",
    "\ud800 \udfff \uffff \ufffe \U0001ffff \ufeff \ufdd0",
    "a\u0300\u0301\u0302\u0303\u0304\u0305\u0306 👩‍👩‍👧‍👦 🇩🇪 e\u0301",
    "&lt;b&gt; &amp; &#0; &nbsp; <swi> a<b c>d",
    "**[x](javascript:alert(1))** ![i](http://evil.example/p.png) <http://evil.example>",
    "a@b.example <c@d.example>, e",
    "   ",
    "x" * 5_000,
    "長" * 3_000,
    "شبكات عصبية עברית",
)
"""Text that tries to be something else; put into every field that outsiders can fill."""


def hostile_digest(text: str) -> Digest:
    """A digest with `text` in every field that comes from outside."""
    bad = Listing(
        key=text,
        source=text,
        title=text,
        abstract=f"{text} {text}",
        authors=(text, f"{text} {text}", text, text),
        organization=text,
        url=f"https://example.org/{text}",
        subjects=(text,),
        published_at=NOW,
        also_in=(text,),
        links=(Link("pdf", text), Link(text, f"https://example.org/?q={text}")),
        note=text,
    )
    reasons = (Reason(text, "title", 0.4), Reason("x", text, 0.1, 3), Reason(text, "org", -0.1))
    matches = (Match(bad, 0.4, reasons), Match(replace(bad, url=text), 0.3))
    runs = (
        SourceRun(text, NOW, 1, 1, 1, 0, 0, DAY),
        SourceRun(text, NOW, error=text),
    )
    return digest(
        sections=tuple(Section(name, matches) for name in SectionName),
        receipt=Receipt(runs, 2, 2, 2, 0),
        empty_reason=text,
        subscriber=Subscriber("ada@example.org", Profile(), name=text),
    )


def tree(html: str) -> Element:
    """The HTML as a tree; anything that is no conforming HTML5 raises."""
    parser = html5lib.HTMLParser(
        tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False
    )
    made = parser.parse(html)
    assert isinstance(made, Element)
    return made


def shown_text(element: Element) -> str:
    """The text inside an element, blanks collapsed."""
    return " ".join("".join(element.itertext()).split())


def styles(element: Element) -> dict[str, str]:
    """The declarations in an element's style attribute."""
    pairs = (one.partition(":") for one in element.get("style", "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def html_bytes(mail: Message) -> int:
    """The octets of the HTML part as they go over the wire."""
    return len(mail.raw.split(b"\r\n--=_")[2].partition(b"\r\n\r\n")[2])
