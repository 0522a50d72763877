"""Parts of a mail and the fields in them, as far as they are the mail's own. Pure.

Nothing inside a returned mail is a part: what somebody else once said in there is not said now.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser

MAX_PARTS = 100
MAX_BLOCKS = 1000
LONGEST = 2000
"""Characters of a field that are looked at."""

MESSAGE_ID = re.compile(r"<([^<>@\s]{1,200}@[^<>@\s]{1,255})>")


def own_parts(mail: Message) -> Iterator[Message]:
    """The parts of a mail in order, those of multiparts opened, those of returned mails not."""
    waiting, given = [mail], 0
    while waiting and given < MAX_PARTS:
        part = waiting.pop(0)
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting = [one for one in payload if isinstance(one, Message)] + waiting
            continue
        given += 1
        yield part


def blocks_of(part: Message) -> list[Message]:
    """The groups of fields of a report, or the header of a returned mail, as header-only mails.

    The parser makes a list of them only of what it knows; the rest, and what is encoded against
    the rules, is read from its text.
    """
    payload = part.get_payload()
    encoded = field_of(part, "Content-Transfer-Encoding").lower() in {"base64", "quoted-printable"}
    if part.get_content_maintype() != "message" or encoded:
        return _from_text(_text(part))
    if not isinstance(payload, list):
        return _from_text(str(payload))
    blocks = [one for one in payload if isinstance(one, Message)]
    if len(blocks) == 1 and part.get_content_type() != "message/rfc822":
        rest = blocks[0].get_payload()  # groups after the first, where only one mail was expected
        blocks += _from_text(rest) if isinstance(rest, str) else []
    return blocks[:MAX_BLOCKS]


def _text(part: Message) -> str:
    """The text of a part, decoded where it is encoded."""
    payload = part.get_payload()
    if isinstance(payload, list):  # the parser took the encoded text for groups of fields
        inner = Message()
        inner["Content-Transfer-Encoding"] = field_of(part, "Content-Transfer-Encoding")
        inner.set_payload(
            "\n".join(str(one.get_payload()) for one in payload if isinstance(one, Message))
        )
        part = inner
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""


def _from_text(text: str) -> list[Message]:
    """The groups of fields in a text, parted by empty lines."""
    groups = re.split(r"\n[ \t]*(?:\r?\n[ \t]*)+", text.replace("\r\n", "\n").strip())
    return [HeaderParser().parsestr(group + "\n\n") for group in groups[:MAX_BLOCKS] if group]


def field_of(block: Message, name: str) -> str:
    """The value of a field on one line, cut; empty where there is none."""
    value = block.get(name)
    return text_of(value) if value is not None else ""


def text_of(value: object) -> str:
    """A field's value as one readable line."""
    text = str(value)[:LONGEST]
    if "=?" in text:
        # A word that claims an encoding which it has not is left as it stands.
        with suppress(ValueError, LookupError, MessageError):
            text = str(make_header(decode_header(text)))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def ids_in(text: str) -> list[str]:
    """The Message-IDs in a field, without their angles."""
    return MESSAGE_ID.findall(text if "<" in text else f"<{text}>")[:5]
