"""Mail addresses and domains, checked by our own rules and never by a lenient parser.

Owns which addresses this service mails and how it writes them down. Pure: no DNS, no network.
"""

from __future__ import annotations

import re

import idna

from digest.errors import DigestError

MAX_ADDRESS = 254
"""Octets of a whole address. Source: RFC 5321 4.5.3.1.3, less the angle brackets."""
MAX_LOCAL = 64
"""Octets before the @. Source: RFC 5321 4.5.3.1.1."""
MAX_DOMAIN = 253
"""Octets of a domain as text. Source: RFC 1035 2.3.4."""

# Source: RFC 5322 3.2.3, dot-atom; quoted local parts are legal, unused, and a way to smuggle.
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# Source: RFC 1123 2.1, letters, digits and inner hyphens.
LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
BETWEEN_ANGLES = re.compile(r"<([^<>]*)>")

# Brands that keep mailboxes under many endings (yahoo.co.uk, hotmail.fr).
FREE_BRANDS = re.compile(r"(?:.*\.)?(?:gmail|googlemail|hotmail|yahoo|yandex)(?:\.[a-z]{2,3}){1,2}")
FREE_DOMAINS = frozenset(
    """
    126.com 163.com aim.com aol.com att.net bk.ru bluewin.ch btinternet.com comcast.net daum.net
    fastmail.com fastmail.fm free.fr freenet.de gmx.at gmx.ch gmx.com gmx.de gmx.net hanmail.net
    hey.com icloud.com inbox.ru laposte.net libero.it list.ru live.ca live.co.uk live.com live.de
    live.fr live.it live.nl mac.com mail.com mail.ru mailbox.org me.com msn.com naver.com o2.pl
    onet.pl orange.fr outlook.at outlook.com outlook.de outlook.es outlook.fr outlook.it pm.me
    posteo.de posteo.net proton.me protonmail.com qq.com rambler.ru rediffmail.com rocketmail.com
    sbcglobal.net seznam.cz sina.com t-online.de tuta.com tuta.io tutanota.com tutanota.de ukr.net
    verizon.net wanadoo.fr web.de wp.pl ya.ru yeah.net ymail.com zoho.com zohomail.com
    """.split()  # noqa: SIM905 - as a list these would be seventy lines
)


class AddressError(DigestError, ValueError):
    """An address or a domain that is not used here; `hint` is the nearest right form, or empty."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f'{message}; did you mean "{hint}"?' if hint else message)
        self.hint = hint


def check_address(text: str) -> str:
    """The address as it is stored and mailed: local part as typed, domain lower case, A-labels.

    Raises: AddressError.
    """
    try:
        return _address(text)
    except AddressError as error:
        raise AddressError(str(error), _nearest(text)) from None


def check_domain(text: str) -> str:
    """The domain in lower case and ASCII: `bücher.example` becomes `xn--bcher-kva.example`.

    Raises: AddressError. Source: RFC 5891, UTS 46 (mapping of case and width).
    """
    if len(text) > MAX_DOMAIN:
        raise AddressError(f"the domain is longer than {MAX_DOMAIN} characters")
    domain = _ascii(text)
    labels = domain.split(".")
    if len(domain) > MAX_DOMAIN or not all(map(LABEL.fullmatch, labels)):
        raise AddressError(f"{quoted(text)} is no domain such as example.org")
    if len(labels) == 1:
        raise AddressError(f"{quoted(text)} is no full domain such as example.org")
    if labels[-1].isdigit():
        raise AddressError(f"{quoted(text)} ends in a number: name a domain, not an IP address")
    return domain


def is_free_mail(domain: str) -> bool:
    """Whether the (checked) domain, or one above it, hands out mailboxes to the public."""
    labels = domain.split(".")
    above = (".".join(labels[start:]) for start in range(len(labels)))
    return any(name in FREE_DOMAINS for name in above) or bool(FREE_BRANDS.fullmatch(domain))


def _address(text: str) -> str:
    """The normalised address, or the first rule that it breaks."""
    if len(text) > MAX_ADDRESS:
        raise AddressError(f"the address is longer than {MAX_ADDRESS} characters")
    local, at, domain = text.partition("@")
    if not at or "@" in domain:
        raise AddressError(f"{quoted(text)} is no mail address: it needs exactly one @")
    _check_local(local, text)
    address = f"{local}@{check_domain(domain)}"
    if len(address) > MAX_ADDRESS:
        raise AddressError(f"the address is longer than {MAX_ADDRESS} characters")
    return address


def _check_local(local: str, text: str) -> None:
    """Refuse a local part that not every mail server takes."""
    if not local:
        raise AddressError(f"{quoted(text)} is no mail address: nothing stands before the @")
    if len(local) > MAX_LOCAL:
        raise AddressError(f"the part before the @ is longer than {MAX_LOCAL} characters")
    if not local.isascii() and any(c.isalpha() and not c.isascii() for c in local):
        raise AddressError(
            f"{quoted(text)} has letters before the @ that many mail servers refuse: "
            "use an address in plain letters"
        )
    if not LOCAL.fullmatch(local):
        raise AddressError(
            f"{quoted(text)} is no mail address: before the @ stand plain letters, digits, "
            "signs such as + or _ and single dots between them"
        )


def _ascii(text: str) -> str:
    """`text` in lower case with A-labels; ASCII names that IDNA would not register pass as well."""
    labels = text.lower().split(".")
    if text.isascii() and not any(label.startswith("xn--") for label in labels):
        return text.lower()
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        raise AddressError(f"{quoted(text)} is no domain such as example.org") from None


def _nearest(text: str) -> str:
    """An address that stands in `text` without doubt: blanks, angles or `mailto:` around it."""
    angled = BETWEEN_ANGLES.findall(text)
    bare = angled[0] if len(angled) == 1 else text
    bare = bare.strip().removeprefix("mailto:").rstrip(".,;")
    try:
        return _address(bare) if bare != text else ""
    except AddressError:
        return ""


def quoted(text: str) -> str:
    """`text` in quotes on one line: at most 60 characters, unprintable ones as their code."""
    safe = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:60])
    return f'"{safe}…"' if len(text) > 60 else f'"{safe}"'
