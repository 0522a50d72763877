"""The identities of a paper: arXiv id, DOI, PubMed id, a feed's own id, and its title."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from digest.text import title_key

_STRENGTH = {"arxiv": 0, "doi": 1, "pmid": 2, "guid": 3, "title": 4, "item": 5}
_NEW_ID = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_OLD_ID = r"[a-z][a-z-]{1,15}(?:\.[A-Za-z-]{2})?/\d{2}(?:0[1-9]|1[0-2])\d{3}"
_ARXIV = re.compile(
    rf"(?:^|arxiv[.:]\s*|arxiv\.org[:/](?:[a-z-]+/)?|(?:alphaxiv|ar5iv(?:\.labs\.arxiv)?)\.org/[a-z]+/"
    rf"|huggingface\.co/papers/)({_NEW_ID}|{_OLD_ID})(?:v(\d{{1,3}}))?(?:\.pdf)?(?=$|[\s?#/,;)\]])",
    re.IGNORECASE,
)
# The last step of any address, where it has the very form of an arXiv id of today.
_ARXIV_STEP = re.compile(r"/(\d{2}(?:0[1-9]|1[0-2])\.\d{5})(?:v(\d{1,3}))?/?$")
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"'<>\\^`{|}]+")
_LONGEST_DOI = 300  # characters; a handbook sets no end, a database's index does (2,704 octets)
_DOI_TAIL = re.compile(
    r"(?:v\d+)?(?:\.(?:abstract|full|full-text|short|source|pdf))*(?:\+html)?(?:\?.*)?$"
)
_PMID = re.compile(r"(?:pubmed\.ncbi\.nlm\.nih\.gov/|/pubmed/|pmid:\s*)(\d{1,9})", re.IGNORECASE)


def arxiv_id(text: str) -> str:
    """The arXiv id in a text of any form, without its version; empty where there is none."""
    found = _ARXIV.search(text.strip()[:2_000]) or _ARXIV_STEP.search(text.strip()[-40:])
    if not found:
        return ""
    archive, slash, number = found[1].partition("/")
    return f"{archive.partition('.')[0].lower()}/{number}" if slash else found[1]


def arxiv_version(text: str) -> int | None:
    """The version that an arXiv id names, None where it names none."""
    found = _ARXIV.search(text.strip()[:2_000])
    return int(found[2]) if found and found[2] else None


def doi(text: str) -> str:
    """The DOI in a text or an address, lower case; empty where there is none of a likely length."""
    found = _DOI.search(unquote(text[:2_000]) if "%" in text else text[:2_000])
    if not found:
        return ""
    name = found[0].lower()
    if name.startswith(("10.1101/", "10.64898/")):
        name = _DOI_TAIL.sub("", name)
    name = name.rstrip(".,;:)]&?#/")
    return name if len(name) <= _LONGEST_DOI else ""


def dois(text: str) -> list[str]:
    """Every DOI in a text that parts them by blanks, commas or semicolons."""
    names = [doi(part) for part in re.split(r"[\s,;]+(?=10\.|doi:|https?:)", text[:2_000])]
    return [name for name in names if name]


def strong_ids(*texts: str) -> list[str]:
    """The identities that stand in addresses and ids: `arxiv:…`, `doi:…`, `pmid:…`, each once."""
    found: dict[str, None] = {}
    for text in filter(None, texts):
        if paper := arxiv_id(text):
            found[f"arxiv:{paper}"] = None
            continue
        for name in dois(text):
            found[f"doi:{name}"] = None
        if article := _PMID.search(text):
            found[f"pmid:{int(article[1])}"] = None
    return list(found)


def guid(source: str, text: str) -> str:
    """The identity that a source itself gives an item."""
    return f"guid:{source}:{digest_of(text)}"


def item(source: str, *texts: str) -> str:
    """The identity of what a source said, for an item that has none of its own."""
    return f"item:{source}:{digest_of(chr(0).join(texts))}"


def digest_of(text: str) -> str:
    """16 hexadecimal digits that stand for a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def surname(name: str) -> str:
    """The family name, folded: the part before a comma, else the last word that is no initial."""
    family, comma, _ = name.partition(",")
    words = [word for word in family.split() if len(word.rstrip(".")) > 1] or [family]
    return title_key(family if comma else words[-1])


def opening(abstract: str) -> str:
    """The first 80 letters of an abstract, folded; empty for one too short to tell."""
    key = title_key(abstract[:240])[:80]
    return key if len(key) >= 40 else ""


def title_ids(title: str, authors: Sequence[str], abstract: str) -> list[str]:
    """The identities of a title: alone, with the first author, and with the abstract's opening."""
    key = title_key(title)
    if not key:
        return []
    kinds = [key]
    if authors and (name := surname(authors[0])):
        kinds.append(f"{key}|by {name}")
    if start := opening(abstract):
        kinds.append(f"{key}|on {start}")
    return [f"title:{digest_of(kind)}" for kind in kinds]


def strongest(ids: Iterable[str]) -> str:
    """The identity that makes the best key."""
    return min(ids, key=lambda name: _STRENGTH.get(name.partition(":")[0], 5))
