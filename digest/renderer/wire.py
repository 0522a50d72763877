"""The finished message: header and two parts as 7-bit bytes with CRLF.

Owns the MIME structure and the transfer encodings. Same input, same bytes: the boundary comes from
the Message-ID.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Part:
    """An encoded body part; `data` ends in CRLF."""

    kind: str
    encoding: str
    data: bytes


def encode(kind: str, text: str) -> Part:
    """A part of type `text/kind`, quoted-printable or, where that is shorter, base64."""
    content = text.encode("utf-8")
    quoted = b"\r\n".join(map(_quoted, text.split("\n")))
    based_size = (len(content) + 2) // 3 * 4 * 78 // 76
    if len(quoted) <= based_size:
        return Part(kind, "quoted-printable", quoted)
    crlf = content.replace(b"\n", b"\r\n")
    return Part(kind, "base64", base64.encodebytes(crlf).replace(b"\n", b"\r\n"))


@lru_cache(maxsize=8_192)
def _quoted(line: str) -> bytes:
    """One line in quoted-printable; most lines of a mail stand in the mail before it as well."""
    return binascii.b2a_qp(line.encode("utf-8"), istext=True).replace(b"\n", b"\r\n")


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
