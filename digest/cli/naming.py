"""Which stored listing the words of a command line mean."""

from __future__ import annotations

import re
from difflib import get_close_matches

from digest.app import App
from digest.errors import DigestError
from digest.model import Listing
from digest.sources.ids import strong_ids
from digest.tex import readable

MOST_NAMED = 3
"""How many listings an answer names."""

NEAREST_OF = 2_000
"""The newest listings among which the nearest title is looked for."""

BY_ADDRESS_OF = 20_000
"""The newest listings among which a web address is looked for; about half a second."""


def named_listing(app: App, text: str) -> Listing:
    """The one stored listing that a text names.

    The text is a key, an arXiv id, a DOI, a web address, a title or a part that one title has.
    Raises: DigestError with the nearest title, or those that are meant alike.
    """
    found = named_listings(app, text, MOST_NAMED + 1)
    if not found:
        raise DigestError(unknown_listing(app, text))
    if len(found) == 1 or _is_whole(found[0], text) > _is_whole(found[1], text):
        return found[0]
    shown = ", ".join(f"{readable(one.title)!r} ({one.key})" for one in found[:MOST_NAMED])
    more = ", …" if len(found) > MOST_NAMED else ""
    raise DigestError(f"{text!r} names several listings: {shown}{more}; give the key of one")


def named_listings(app: App, text: str, limit: int) -> list[Listing]:
    """The stored listings that a text may mean: the one of an identity, else those by title."""
    text = text.strip()
    if not text:
        return []
    ids = strong_ids(text)
    if stored := app.store.known([text, *ids]):
        return [next(stored[name] for name in (text, *ids) if name in stored)]
    if text.startswith(("http://", "https://")):
        return _at(app, text)
    return list(app.store.find_listings(text, limit))


def unknown_listing(app: App, text: str) -> str:
    """That no listing is meant, and which title is nearest."""
    return f"no stored listing has {text!r} in its title or as its key{_hint(app, text)}"


def _is_whole(listing: Listing, text: str) -> bool:
    return text.strip().casefold() in {listing.key.casefold(), listing.title.casefold()}


def _at(app: App, address: str) -> list[Listing]:
    """The newest listing at a web address."""
    wanted = _bare(address)
    for one in app.store.recent_listings(BY_ADDRESS_OF):
        if wanted in {_bare(one.url), *(_bare(link.url) for link in one.links)}:
            return [one]
    return []


def _bare(address: str) -> str:
    """An address without what two spellings of it differ in."""
    return re.sub(r"^https?://(www\.)?|[/#?]+$", "", address.strip())


def _hint(app: App, text: str) -> str:
    """The title that shares most words with the text, or why there is none."""
    titles = [readable(one.title) for one in app.store.recent_listings(NEAREST_OF)]
    if not titles:
        return "; none is stored yet, `digest ingest` reads the sources"
    wanted = _words(text)
    shared = {title: len(wanted & _words(title)) for title in titles}
    most = max(shared.values())
    best = [title for title in titles if shared[title] == most]
    near = get_close_matches(text, best, n=1, cutoff=0.0)
    return f"; did you mean {near[0]!r}?" if most else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))
