"""The finished message: header and two parts as 7-bit bytes with CRLF.

Owns the MIME structure and the transfer encodings. Same input, same bytes: the boundary comes from
the Message-ID.

A part is written whole (`encode`) or out of pieces that were encoded before (`quoted`, `join`). A
piece ends in a soft line break, so that pieces can stand in any order. Source: RFC 2045 6.7.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

SOFT = b"=\r\n"
"""A line break of the encoding, none of the text."""


@dataclass(frozen=True, slots=True)
class Part:
    """An encoded body part; `data` ends in CRLF."""

    kind: str
    encoding: str
    data: bytes


def encode(kind: str, text: str) -> Part:
    """A part of type `text/kind`, quoted-printable or, where that is shorter, base64."""
    return join(kind, quoted(text), count_foreign(text))


def count_foreign(text: str) -> int:
    """How many octets of the text are none of ASCII."""
    return 0 if text.isascii() else len(text.encode("utf-8")) - len(text.encode("ascii", "ignore"))


def join(kind: str, pieces: bytes, foreign: int) -> Part:
    """A part of type `text/kind` out of pieces that `quoted` made, one behind the other.

    In base64 where that is shorter, which needs at least so many `foreign` octets that asking pays.
    """
    data = pieces.removesuffix(SOFT)
    if foreign * 40 <= len(data) or len(data) <= _base64_size(data):
        return Part(kind, "quoted-printable", data)
    content = binascii.a2b_qp(data)
    return Part(kind, "base64", base64.encodebytes(content).replace(b"\n", b"\r\n"))


def _base64_size(data: bytes) -> int:
    """How many octets the content of quoted-printable data takes in base64."""
    breaks = data.count(SOFT)
    escapes = data.count(b"=") - breaks
    return (len(data) - 2 * escapes - 3 * breaks + 2) // 3 * 4 * 78 // 76


def quoted(text: str) -> bytes:
    """The text in quoted-printable, from the beginning of a line on, to be followed by any piece.

    Ends in a soft line break where it does not end in a line break of its own.
    """
    # The letter behind it keeps the last blank as it is, and room for the soft line break.
    made = binascii.b2a_qp(text.encode("utf-8") + b"x", istext=True)[:-1].replace(b"\n", b"\r\n")
    return made if not made or made.endswith(b"\n") else made + SOFT


def assemble(fields: Sequence[str], message_id: str, text: Part, html: Part) -> bytes:
    """The message as it goes over the wire. Source: RFC 2046 5.1.4."""
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:32]
    head = [
        *fields,
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"',
    ]
    pieces = ["\r\n".join(head).encode("ascii"), b"\r\n\r\n"]
    for part in (text, html):
        pieces += [
            f"--{boundary}\r\n"
            f"Content-Type: text/{part.kind}; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: {part.encoding}\r\n\r\n".encode("ascii"),
            part.data,
            b"\r\n",
        ]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode("ascii")])
