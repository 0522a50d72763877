"""Contrast as WCAG 2.2 defines it, computed from the colours that a mail declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from tests.renderer.mails import styles

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


@dataclass(frozen=True)
class Seen:
    """A piece of text as it is painted."""

    text: str
    colour: str
    background: str

    @property
    def contrast(self) -> float:
        """From 1 (nothing to see) to 21. Source: WCAG 2.2, 1.4.3."""
        return contrast(self.colour, self.background)

    @property
    def inverted(self) -> float:
        """The contrast where a mail program turns all colours round."""
        return contrast(_invert(self.colour), _invert(self.background))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours of the form `#rrggbb`."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _invert(colour: str) -> str:
    return "#" + "".join(f"{255 - int(colour[at : at + 2], 16):02x}" for at in (1, 3, 5))


def dark_rules(css: str) -> dict[str, dict[str, str]]:
    """For each selector of the dark scheme its declarations, without `!important`."""
    block = css[css.index("(prefers-color-scheme: dark)") : css.rindex("}")]
    rules: dict[str, dict[str, str]] = {}
    for selectors, body in _RULE.findall(block.partition("{")[2]):
        pairs = (one.replace("!important", "").partition(":") for one in body.split(";"))
        made = {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
        for selector in selectors.split(","):
            rules.setdefault(selector.strip(), {}).update(made)
    return rules


def painted(root: Element, rules: dict[str, dict[str, str]] | None = None) -> Iterator[Seen]:
    """Every text of the body with its colour and background; `rules` lie over the inline ones."""
    body = root.find("body")
    assert body is not None
    yield from _painted(body, "#000000", "#ffffff", rules or {}, ())


def _painted(
    element: Element,
    colour: str,
    background: str,
    rules: dict[str, dict[str, str]],
    around: tuple[str, ...],
) -> Iterator[Seen]:
    own = styles(element)
    classes = element.get("class", "").split()
    for selector, made in rules.items():
        if _applies(selector.split(), classes, str(element.tag), around):
            own = {**own, **made}
    if own.get("display") == "none":
        return
    colour = own.get("color", colour)
    background = own.get("background-color", background)
    inside = (*around, *classes)
    if (element.text or "").strip():
        yield Seen(str(element.text), colour, background)
    for child in element:
        if isinstance(child.tag, str):
            yield from _painted(child, colour, background, rules, inside)
        if (child.tail or "").strip():
            yield Seen(str(child.tail), colour, background)


def _applies(selector: list[str], classes: list[str], tag: str, around: tuple[str, ...]) -> bool:
    *outer, last = selector
    fits = last[1:] in classes if last.startswith(".") else last == tag
    return fits and all(one[1:] in around for one in outer)
