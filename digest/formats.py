"""The same digest in other forms: page, Atom, JSON Feed, BibTeX, RIS, Markdown, plain text.

Owns what of a listing each form holds. Pure; every function takes (digest, frame, links) and gives
text. What each form cannot hold is left out, never bent; text from outside is escaped for its form.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

from digest.model import Digest, Frame, Listing, Match, PersonalLinks
from digest.renderer import Renderer, words
from digest.renderer.clean import line, visible
from digest.tex import readable
from digest.text import title_key, web_url

ATOM = "http://www.w3.org/2005/Atom"

_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # a page has no Date field to put a moment into
_MARKDOWN = re.compile(r"([\\`*_{}\[\]#|!~]|^[-+](?=\s))")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")  # a backslash before a digit would be shown
_TEX_SIGNS = re.compile(r"[\\{}$&#%_^~]")
_TEX_NAMES = {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_ID = re.compile(r"(arxiv|doi|pmid):(\S+)")


def page(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """The mail's HTML, to be looked at in a browser. Raises: TemplateError."""
    return Renderer(frame).render(digest, "page@digest.invalid", _MOMENT, links).html


def plain_text(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """The mail's text part. Raises: TemplateError."""
    return Renderer(frame).render(digest, "page@digest.invalid", _MOMENT, links).text


def atom(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """An Atom feed with one entry a listing. Source: RFC 4287."""
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _child(feed, "title", f"{line(frame.service_name)} · {words.long_day(digest.digest_on)}")
    _child(feed, "subtitle", _receipt(digest))
    _child(feed, "id", _urn(frame.list_id, digest.digest_on.isoformat()))
    _child(feed, "updated", _day(digest))
    _child(_child(feed, "author"), "name", line(frame.service_name) or "Digest")
    if web_url(frame.base_url):
        _child(feed, "link", href=web_url(frame.base_url))
    for match, why in _matches(digest):
        _entry(feed, match.listing, why, _day(digest))
    return ET.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def json_feed(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """A JSON Feed. Source: jsonfeed.org/version/1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{line(frame.service_name)} · {words.long_day(digest.digest_on)}",
        "description": _receipt(digest),
        "home_page_url": web_url(frame.base_url),
        "items": [_json_item(match, why) for match, why in _matches(digest)],
    }
    return json.dumps(_filled(feed), ensure_ascii=False, indent=2) + "\n"


def atom_of_days(digests: Sequence[Digest], frame: Frame) -> str:
    """An Atom feed of one person's digests, the newest first: each listing once, at its first day.

    There is one digest at least.
    """
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed")
    _child(feed, "title", f"{line(frame.service_name)} · my digests")
    _child(feed, "id", _urn(frame.list_id, "days", str(digests[0].subscriber.id)))
    _child(feed, "updated", _day(digests[0]))
    _child(_child(feed, "author"), "name", line(frame.service_name) or "Digest")
    if web_url(frame.base_url):
        _child(feed, "link", href=web_url(frame.base_url))
    for match, why, digest in _matches_of_days(digests):
        _entry(feed, match.listing, why, _day(digest))
    return ET.tostring(feed, encoding="unicode", xml_declaration=True) + "\n"


def json_feed_of_days(digests: Sequence[Digest], frame: Frame) -> str:
    """The same as a JSON Feed."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{line(frame.service_name)} · my digests",
        "home_page_url": web_url(frame.base_url),
        "items": [_json_item(match, why) for match, why, _ in _matches_of_days(digests)],
    }
    return json.dumps(_filled(feed), ensure_ascii=False, indent=2) + "\n"


def bibtex(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """BibTeX entries; a title with TeX keeps it, everything else is escaped."""
    made: dict[str, str] = {}
    for match, _ in _matches(digest):
        listing = match.listing
        key = _cite_key(listing, digest, made)
        fields = "".join(f"  {name} = {{{value}}},\n" for name, value in _bib_fields(listing))
        made[key] = f"@misc{{{key},\n{fields}}}\n"
    return "\n".join(made.values())


def ris(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """RIS records with CRLF, as reference managers import them."""
    records = [
        "".join(f"{tag}  - {value}\r\n" for tag, value in _ris_fields(m.listing))
        for m, _ in _matches(digest)
    ]
    return "".join(record + "ER  - \r\n\r\n" for record in records)


def markdown(digest: Digest, frame: Frame, links: PersonalLinks) -> str:
    """A Markdown document with the sections of the mail."""
    lines = [f"# {_escaped(line(frame.service_name))} · {words.long_day(digest.digest_on)}", ""]
    lines += [f"{one}\n" for one in map(_escaped, words.lead(digest))]
    for section in digest.sections:
        if section.matches:
            lines += [f"## {words.TITLES[section.name]}", ""]
        for match in section.matches:
            why = words.why(match, section.name, digest.subscriber.profile.min_score)
            lines += _markdown_item(match, why, digest.digest_on.year)
    lines += [_escaped(words.counts(digest.receipt)), ""]
    sources = [*words.troubles(digest), *words.sources(digest)]
    lines += [*(f"- {_escaped(one)}" for one in sources), ""]
    return "\n".join(lines)


FORMATS: Mapping[str, Callable[[Digest, Frame, PersonalLinks], str]] = MappingProxyType(
    {
        "html": page,
        "text": plain_text,
        "atom": atom,
        "json": json_feed,
        "bibtex": bibtex,
        "ris": ris,
        "markdown": markdown,
    }
)
"""Every form by the name that `--format` takes."""


# --- what the forms share -------------------------------------------------------------------


def _matches(digest: Digest) -> Iterator[tuple[Match, str]]:
    """Each listing once, in order, with why it is there."""
    seen: set[str] = set()
    for section in digest.sections:
        for match in section.matches:
            if match.listing.key not in seen:
                seen.add(match.listing.key)
                yield match, words.why(match, section.name, digest.subscriber.profile.min_score)


def _matches_of_days(digests: Sequence[Digest]) -> list[tuple[Match, str, Digest]]:
    """Each listing of several digests once, as the first that showed it did; the newest first."""
    seen: dict[str, tuple[Match, str, Digest]] = {}
    for digest in reversed(digests):
        for match, why in _matches(digest):
            seen.setdefault(match.listing.key, (match, why, digest))
    return sorted(seen.values(), key=lambda each: each[2].digest_on, reverse=True)


def _receipt(digest: Digest) -> str:
    """What became of the day, as the mail says it: why it is empty, the counts, each source."""
    lead = words.lead(digest) if digest.empty_reason else []
    whole = [*lead, words.counts(digest.receipt), *words.troubles(digest), *words.sources(digest)]
    return " ".join(whole)


def _title(listing: Listing) -> str:
    return readable(line(listing.title)) or "Without a title"


def _abstract(listing: Listing) -> str:
    return readable(visible(listing.abstract).strip())


def _authors(listing: Listing) -> list[str]:
    return [readable(line(name)) for name in listing.authors if line(name)]


def _known_ids(listing: Listing) -> dict[str, str]:
    """The identities that reference managers know, by their scheme."""
    found = (_ID.fullmatch(line(one)) for one in (listing.key, *listing.ids))
    return {one[1]: one[2] for one in found if one}


def _day(digest: Digest) -> str:
    return datetime.combine(digest.digest_on, time(), UTC).isoformat()


def _urn(*parts: str) -> str:
    """A name that is the same for the same parts, and an address of nothing."""
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
    return f"urn:sha256:{digest}"


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value or name == "items"}


# --- Atom and JSON --------------------------------------------------------------------------


def _child(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
    made.text = text or None
    return made


def _entry(feed: ET.Element, listing: Listing, why: str, day: str) -> None:
    entry = _child(feed, "entry")
    _child(entry, "title", _title(listing))
    _child(entry, "id", _urn(listing.key))
    published = listing.published_at
    _child(entry, "updated", published.isoformat() if published else day)
    for name in _authors(listing) or [line(listing.source) or "unknown"]:
        _child(_child(entry, "author"), "name", name)
    if web_url(listing.url):
        _child(entry, "link", href=web_url(listing.url))
    for subject in filter(None, map(line, listing.subjects)):
        _child(entry, "category", term=subject)
    _child(entry, "summary", "\n\n".join(filter(None, [_abstract(listing), why])))


def _json_item(match: Match, why: str) -> dict[str, Any]:
    listing = match.listing
    return _filled(
        {
            "id": _urn(listing.key),
            "url": web_url(listing.url),
            "title": _title(listing),
            "content_text": _abstract(listing) or _title(listing),
            "summary": why,
            "date_published": listing.published_at.isoformat() if listing.published_at else "",
            "authors": [{"name": name} for name in _authors(listing)],
            "tags": [line(subject) for subject in listing.subjects if line(subject)],
            "_digest": {"score": round(match.score, 4), "source": line(listing.source)},
        }
    )


# --- BibTeX and RIS -------------------------------------------------------------------------


def _bib_fields(listing: Listing) -> Iterator[tuple[str, str]]:
    ids = _known_ids(listing)
    authors = [f"{{{_tex(name)}}}" if " and " in name else _tex(name) for name in _authors(listing)]
    values = {
        "title": f"{{{_tex_title(listing)}}}",
        "author": " and ".join(authors),
        "year": str(_year(listing) or ""),
        "eprint": _tex(ids.get("arxiv", "")),
        "archiveprefix": "arXiv" if "arxiv" in ids else "",
        "doi": _tex(ids.get("doi", "")),
        "url": _tex_url(web_url(listing.url)),
        "abstract": _tex(line(_abstract(listing))),
    }
    yield from ((name, value) for name, value in values.items() if value)


def _tex_title(listing: Listing) -> str:
    """The title's own TeX where it is whole, else the title escaped."""
    title = line(listing.title)
    is_tex = readable(title) != title and title.count("$") % 2 == 0
    if (
        is_tex
        and _is_balanced(title)
        and not re.search(r"(?<!\\)[%#&]|\\(?:input|write|include)", title)
    ):
        return title
    return _tex(_title(listing))


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0


def _tex(text: str) -> str:
    return _TEX_SIGNS.sub(lambda sign: _TEX_NAMES.get(sign[0], f"\\{sign[0]}"), text)


def _tex_url(url: str) -> str:
    r"""An address as `\url` reads it; braces, which could end the field, are encoded."""
    return url.replace("{", "%7B").replace("}", "%7D")


def _year(listing: Listing) -> int | None:
    day = listing.published_at or listing.listed_on
    return day.year if day else None


def _cite_key(listing: Listing, digest: Digest, taken: Mapping[str, str]) -> str:
    """`noether2026draft`, with a letter after it where that is taken."""
    names = _authors(listing)
    author = re.sub(r"[^a-z]", "", title_key(words.family_name(names[0]))) if names else ""
    nouns = [re.sub(r"[^a-z]", "", title_key(word)) for word in _title(listing).split()]
    word = next((noun for noun in nouns if len(noun) > 3), "")
    base = f"{author or 'listing'}{_year(listing) or digest.digest_on.year}{word}"[:60]
    key, number = base, 1
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key


def _ris_fields(listing: Listing) -> Iterator[tuple[str, str]]:
    published = listing.published_at
    yield "TY", "GEN"
    yield "TI", _title(listing)
    yield from (("AU", name) for name in _authors(listing))
    if _year(listing):
        yield "PY", str(_year(listing))
    if published:
        yield "DA", f"{published:%Y/%m/%d}"
    if abstract := line(_abstract(listing)):
        yield "AB", abstract
    if doi := _known_ids(listing).get("doi"):
        yield "DO", doi
    if url := web_url(listing.url):
        yield "UR", url
    yield from (("KW", line(subject)) for subject in listing.subjects if line(subject))


# --- Markdown -------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """The text with every sign that Markdown would read."""
    signs = _MARKDOWN.sub(r"\\\1", html.escape(text, quote=False))
    return _NUMBERED.sub(r"\1\\\2", signs)


def _markdown_item(match: Match, why: str, year: int) -> list[str]:
    title, url = _escaped(_title(match.listing)), web_url(match.listing.url)
    target = url.replace("(", "%28").replace(")", "%29")
    heading = f"### [{title}]({target})" if url else f"### {title}"
    parts = [words.meta(match.listing, year), line(_abstract(match.listing)), why]
    return [heading, "", *(f"{_escaped(part)}\n" for part in parts if part)]
