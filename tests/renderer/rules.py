"""Rules M1 to M18, B1 to B12, R1 to R16 and X1 to X5 as checks of one finished mail.

Each check takes a mail that was read, whatever it is made of, and asserts. The rules that no single
mail can show (a sender that is killed, a recipient's address, a template) have tests elsewhere;
`ELSEWHERE` says why each is missing here.
"""

from __future__ import annotations

import email.utils
import quopri
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cached_property
from xml.etree.ElementTree import Element

import html5lib

from digest.model import Digest, Message
from tests.renderer.colours import dark_rules, painted
from tests.renderer.mails import (
    FRAME,
    ID,
    LINKS,
    field_lines,
    field_names,
    html_bytes,
    parsed,
    part,
    shown_text,
    styles,
    tree,
)

FIELDS = [
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "List-Id", "List-Post", "List-Owner",
    "List-Help", "Auto-Submitted", "X-Auto-Response-Suppress", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Feedback-ID", "MIME-Version", "Content-Type",
]  # fmt: skip

ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td",
    "p", "h1", "h2", "a", "b", "em", "strong", "code", "ul", "ol", "li", "span", "br",
    "blockquote",
}  # fmt: skip
ATTRIBUTES = {
    "lang", "dir", "charset", "name", "content", "class", "style", "role", "aria-label",
    "aria-roledescription", "aria-hidden", "align", "valign", "width", "height",
    "cellpadding", "cellspacing", "border", "href",
}  # fmt: skip
PROPERTIES = {
    "margin", "padding", "color", "background-color", "font-family", "font-size", "font-style",
    "font-weight", "line-height", "text-decoration", "width", "max-width", "min-width", "height",
    "max-height", "vertical-align", "border-bottom", "overflow-wrap", "word-break", "display",
    "overflow", "mso-hide", "mso-line-height-rule",
}  # fmt: skip

UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass
class Seen:
    """A mail as its reader's program has it, beside the digest that it was made of."""

    digest: Digest
    mail: Message
    again: Message

    @cached_property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return parsed(self.mail)

    @cached_property
    def html(self) -> str:
        """The HTML part, decoded."""
        return part(self.mail, "html").replace("\r\n", "\n")

    @cached_property
    def text(self) -> str:
        """The text part, decoded."""
        return part(self.mail, "plain").replace("\r\n", "\n")

    @cached_property
    def root(self) -> Element:
        """The HTML as a strict parser reads it."""
        return tree(self.html)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The raw fields of the header, unfolded."""
        return dict(line.split(": ", 1) for line in field_lines(self.mail))

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags in order; all of them without any."""
        found = (one for one in self.root.iter() if isinstance(one.tag, str))
        return [one for one in found if not tags or one.tag in tags]

    @property
    def body(self) -> Element:
        """The body element."""
        found = self.root.find("body")
        assert found is not None
        return found


def all_in_one(urls: set[str]) -> set[str]:
    """The addresses, where a listing's ways of tuning count as the page that offers all of them.

    `https://…/tune/TOKEN/more/12` counts as `https://…/tune/TOKEN/12`.
    """
    return {re.sub(r"(/tune/[^/]+)/(?:more|less|mute|follow)(/\d+)$", r"\1\2", url) for url in urls}


def m1(seen: Seen) -> None:
    """One From mailbox, the operator's."""
    senders = email.utils.getaddresses(seen.message.get_all("From", []))
    assert senders == [("Paper digest", "digest@example.org")]


def m2(seen: Seen) -> None:
    """One recipient, and no other address in the fields."""
    assert seen.fields["To"] == "ada@example.org"
    assert not {"Cc", "Bcc"} & set(field_names(seen.mail))


def m3(seen: Seen) -> None:
    """Each field once, in its order."""
    assert field_names(seen.mail) == FIELDS


def m4(seen: Seen) -> None:
    """A subject of one clean line, never empty, and the same after it was decoded."""
    assert 0 < len(seen.mail.subject) <= 150
    assert seen.mail.subject.strip() == seen.mail.subject
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", seen.mail.subject)
    assert not BIDI.search(seen.mail.subject)
    assert seen.message["Subject"] == seen.mail.subject


def m5(seen: Seen) -> None:
    """The Date is the given one, with its zone."""
    assert seen.fields["Date"] == "Fri, 20 Nov 2026 07:30:00 +0000"


def m6(seen: Seen) -> None:
    """The Message-ID is that of the ledger."""
    assert seen.fields["Message-ID"] == f"<{ID}>"


def m7(seen: Seen) -> None:
    """One https address to leave by."""
    assert seen.fields["List-Unsubscribe"] == f"<{LINKS.unsubscribe}>"


def m8(seen: Seen) -> None:
    """The one-click value, byte by byte."""
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in seen.mail.raw


def m9(seen: Seen) -> None:
    """No encoded word in a structured field."""
    for name, value in seen.fields.items():
        if name.startswith("List-") or name in {"Message-ID", "Feedback-ID"}:
            assert "=?" not in value


def m11(seen: Seen) -> None:
    """The list's own name."""
    assert seen.fields["List-Id"].endswith("<papers.example.org>")


def m12(seen: Seen) -> None:
    """Replies go to a person."""
    assert seen.fields["List-Post"] == "NO"
    assert seen.fields["List-Owner"] == "<mailto:library@example.org>"


def m13(seen: Seen) -> None:
    """A program wrote it, and wants no vacation replies."""
    assert seen.fields["Auto-Submitted"] == "auto-generated"
    assert seen.fields["X-Auto-Response-Suppress"] == "All"


def m14(seen: Seen) -> None:
    """No field that is no standard."""
    assert "Precedence" not in seen.fields


def m15(seen: Seen) -> None:
    """Four parts that name no person."""
    assert len(seen.fields["Feedback-ID"].split(":")) == 4
    assert "ada" not in seen.fields["Feedback-ID"]


def m16(seen: Seen) -> None:
    """Replies reach the mailbox that someone reads."""
    assert seen.fields["Reply-To"] == "library@example.org"


def m17(seen: Seen) -> None:
    """Short lines, folded where that is safe."""
    head = seen.mail.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, head)) <= 998
    assert all(len(line) <= 78 for line in head if b"=?utf-8?" in line)


def m18(seen: Seen) -> None:
    """No byte of an address beyond ASCII."""
    assert seen.mail.raw.partition(b"\r\n\r\n")[0].isascii()


def b1(seen: Seen) -> None:
    """Text first, HTML last, nothing else."""
    assert seen.message.get_content_type() == "multipart/alternative"
    kinds = [one.get_content_type() for one in seen.message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]


def b2(seen: Seen) -> None:
    """Clean UTF-8, and said so."""
    assert {one.get_content_charset() for one in seen.message.iter_parts()} == {"utf-8"}
    assert not UNSEEN.search(seen.html)
    assert not UNSEEN.search(seen.text)


def b3(seen: Seen) -> None:
    """Only seven bits."""
    assert max(seen.mail.raw) < 128


def b4(seen: Seen) -> None:
    """Short lines that end in CRLF, none of them a lone dot."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\r\n\.\r\n", seen.mail.raw)
    assert max(map(len, seen.mail.raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76


def b5(seen: Seen) -> None:
    """What is decoded line by line is what the parser reads."""
    for one, read in zip(seen.message.iter_parts(), (seen.text, seen.html), strict=True):
        raw = str(one.get_payload()).encode("ascii")
        decode = b64decode if one["Content-Transfer-Encoding"] == "base64" else quopri.decodestring
        assert decode(raw).decode("utf-8").replace("\r\n", "\n") == read


def b6(seen: Seen) -> None:
    """Both parts lead to the same places; the way out stands alone on its line."""
    linked = {str(one.get("href")) for one in seen.all("a")}
    listed = set(re.findall(r"https?://[^\s<>]+", seen.text))
    assert all_in_one({url for url in linked if url.startswith("http")}) <= listed
    assert LINKS.unsubscribe in seen.text.split("\n")


def b7(seen: Seen) -> None:
    """No line may be joined to another."""
    assert b"format=flowed" not in seen.mail.raw.lower()


def b8(seen: Seen) -> None:
    """The HTML is short enough, and ends with its footer."""
    assert html_bytes(seen.mail) <= 90_000
    assert LINKS.unsubscribe in seen.html[-3_000:]


def b9(seen: Seen) -> None:
    """Harmless elements and attributes; nothing is loaded and nothing runs."""
    for one in seen.all():
        assert one.tag in ELEMENTS
        assert set(one.attrib) <= ATTRIBUTES
    assert not re.search(r"url\(|@import|<base|http-equiv", seen.html)


def b10(seen: Seen) -> None:
    """Who sends, why, where, and how to change or stop it."""
    for shown in (shown_text(seen.body), " ".join(seen.text.split())):
        assert "Sent by Paper digest (digest@example.org) to ada@example.org" in shown
        assert "Library, 1 College Street, Example" in shown
    for shown in (seen.html, seen.text):
        assert LINKS.manage in shown
        assert LINKS.unsubscribe in shown


def b11(seen: Seen) -> None:
    """Another renderer makes the same bytes."""
    assert seen.again.raw == seen.mail.raw


def b12(seen: Seen) -> None:
    """Nothing comes from afar when the mail is opened."""
    loading = {"src", "srcset", "background", "poster", "data"}
    assert not [one for one in seen.all() if loading & set(one.attrib)]
    assert not seen.all("img", "link", "object", "video", "audio")


def r1(seen: Seen) -> None:
    """Language and direction, twice."""
    for one in (seen.root, seen.body[0]):
        assert (one.get("lang"), one.get("dir")) == ("en", "ltr")


def r2(seen: Seen) -> None:
    """Tables lay out, and say so."""
    assert {one.get("role") for one in seen.all("table")} == {"presentation"}
    assert not seen.all("th")


def r3(seen: Seen) -> None:
    """One h1, then an h2 for each item that is shown."""
    outline = [one.tag for one in seen.all("h1", "h2", "h3", "h4")]
    assert outline[0] == "h1"
    assert set(outline[1:]) <= {"h2"}


def r4(seen: Seen) -> None:
    """Links that lead elsewhere have other names, and all are underlined."""
    names: dict[str, set[str]] = {}
    for one in seen.all("a"):
        names.setdefault(one.get("aria-label") or shown_text(one), set()).add(str(one.get("href")))
        assert styles(one).get("text-decoration") == "underline"
    assert "" not in names
    assert not {name for name in names if re.fullmatch(r"(?i)(read )?more|here|link", name)}


def r5(seen: Seen) -> None:
    """Contrast in both schemes."""
    rules = dark_rules(dict(FRAME.templates)["dark.css"])
    for scheme in ({}, rules):
        assert min(one.contrast for one in painted(seen.root, scheme)) >= 4.5


def r6(seen: Seen) -> None:
    """No image carries meaning: there is none."""
    assert not seen.all("img", "svg")


def r7(seen: Seen) -> None:
    """A short style block, and contrast without it."""
    assert sum(len(one.text or "") for one in seen.all("style")) < 8_000
    assert all("style" in one.attrib for one in seen.all("p", "h1", "h2", "a"))


def r8(seen: Seen) -> None:
    """No text under 14 px, nothing with a width that a phone does not have."""
    for one in seen.all():
        made = styles(one)
        assert float(made.get("font-size", "14px").removesuffix("px")) >= 14
        wide = re.fullmatch(r"(\d+)px", made.get("width", made.get("min-width", "")))
        assert not wide or int(wide[1]) <= 60


def r9(seen: Seen) -> None:
    """Only what the Word engine knows, padding on cells."""
    for one in seen.all():
        made = styles(one)
        assert set(made) <= PROPERTIES
        assert one.tag == "td" or made.get("padding", "0") == "0"


def r10(seen: Seen) -> None:
    """Both schemes are declared, and turned colours can be read."""
    names = {one.get("name"): one.get("content") for one in seen.all("meta")}
    assert names["color-scheme"] == names["supported-color-schemes"] == "light dark"
    assert min(one.inverted for one in painted(seen.root)) >= 4.5


def r11(seen: Seen) -> None:
    """A hidden preheader of real content comes first."""
    first = seen.body[0][0]
    assert styles(first)["display"] == "none"
    assert 0 < len(shown_text(first)) <= 110


def r12(seen: Seen) -> None:
    """Titles keep their direction; nothing can turn a line around."""
    assert {one.get("dir") for one in seen.all("h2")} <= {"auto"}
    assert not BIDI.search(seen.html + seen.text)


def r13(seen: Seen) -> None:
    """No half of a character and no half of an entity."""
    assert not re.search(r"&(?!(?:#\d+|#x[0-9a-f]+|[a-z]+\d*);)", seen.html)
    assert "\u200d…" not in seen.html + seen.text


def r14(seen: Seen) -> None:
    """Each title shown as text reads as its TeX was made readable, in both parts."""
    shown = " ".join(seen.text.split())
    for one in seen.all("h2"):
        title = shown_text(one)
        assert title in shown or len(title) > 60  # a long word may be broken over two lines


def r15(seen: Seen) -> None:
    """Strict HTML that reads the same after a round trip."""
    again = html5lib.serialize(
        seen.root, tree="etree", omit_optional_tags=False, quote_attr_values="always"
    )
    assert shown_text(tree("<!DOCTYPE html>" + again)) == shown_text(seen.root)


def r16(seen: Seen) -> None:
    """The page's title is the subject, and numbers stay text."""
    assert seen.all("title")[0].text == seen.mail.subject
    names = {one.get("name"): one.get("content") for one in seen.all("meta")}
    assert "telephone=no" in str(names["format-detection"])


def x1(seen: Seen) -> None:
    """No markup of a listing's became markup: what it may become is a short list."""
    for one in seen.all("h2"):
        inside = {child.tag for child in one.iter()} - {"h2", "a", "b"}
        assert not inside


def x2(seen: Seen) -> None:
    """What a template would read as its own stays text."""
    assert seen.html.count("<body") == seen.html.count("</body>") == 1
    assert not seen.all("script", "iframe", "form", "object", "embed")


def x3(seen: Seen) -> None:
    """Every link is http or https, and of one line."""
    for one in seen.all("a"):
        assert re.fullmatch(r"(?:https?://|mailto:)[!-~]+", str(one.get("href")))


def x4(seen: Seen) -> None:
    """Comments are ours alone; no id."""
    ours = {"<!--[if mso]>", "<!--<![endif]-->", "<![endif]-->", "<!--[if !mso]><!-->"}
    starts = set(re.findall(r"<!--.{0,9}", seen.html))
    assert all(any(one.startswith(start[:9]) for one in ours) for start in starts), starts
    assert not [one for one in seen.all() if "id" in one.attrib]


def x5(seen: Seen) -> None:
    """The fields that a parser finds are those that were meant."""
    assert seen.message.keys() == FIELDS


CHECKS: dict[str, Callable[[Seen], None]] = {
    check.__name__.upper(): check
    for check in (
        m1, m2, m3, m4, m5, m6, m7, m8, m9, m11, m12, m13, m14, m15, m16, m17, m18,
        b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12,
        r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16,
        x1, x2, x3, x4, x5,
    )
}  # fmt: skip

ELSEWHERE = {
    "M10": "the bytes at the sink are those of the outbox: a mail server has to take them",
    "X6": "addresses do not come from listings",
    "X7": "templates do not come from listings",
}
