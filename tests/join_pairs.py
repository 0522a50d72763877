"""Pairs of listings, alike and unlike, made from the recordings; few without them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from digest.join import is_same, join
from digest.model import Listing, Source
from digest.sources.shape import shape
from tests.sources.shared import SHARED, read

ABSTRACT = (
    "The engine weaves algebraic patterns as the loom weaves flowers and leaves. We describe its"
    " mill and its store, and give a table of the operations by which it finds Bernoulli numbers."
)
OTHER = (
    "Electrodynamics as understood today leads, for moving bodies, to asymmetries that do not seem"
    " inherent in the phenomena. We take the speed of light as constant and follow where it leads."
)

Verdict = tuple[str, bool]
"""In which way two listings differ, and whether they joined."""


def listing(source: str = "a", **fields: object) -> Listing:
    """A listing of that source, made as the sources make theirs."""
    given_fields = {"title": "Notes on the Analytical Engine", "abstract": ABSTRACT, **fields}
    return shape(Source(source, "feed"), **given_fields)  # type: ignore[arg-type]  # fields of any


def joined(*listings: Listing) -> list[Listing]:
    """What is left of these listings, of one batch, when what is one paper is one."""
    return join(listings, lambda ids: {}).new


Change = Callable[[Listing], Listing]


def _remade(one: Listing, **changes: object) -> Listing:
    """The listing as another source would have it: these fields, and ids made anew."""
    kept: dict[str, object] = {"title": one.title, "abstract": one.abstract, "authors": one.authors}
    fields = {**kept, **changes}
    return shape(Source("other", "feed"), **fields)  # type: ignore[arg-type]  # fields of any type


def _initials(name: str) -> str:
    """`Ada Lovelace` as an index writes it: `Lovelace, A.`."""
    *given_names, family = name.replace(",", "").split()
    return f"{family}, {' '.join(word[0] + '.' for word in given_names)}" if given_names else name


_TEX = re.compile(r"(\w+)$")
_ALIKE: dict[str, Change] = {
    "a page: title and abstract": lambda one: _remade(one, authors=[]),
    "capitals and hyphens": lambda one: _remade(one, title=one.title.upper().replace(" ", "-")),
    "an index: initials": lambda one: _remade(one, authors=[_initials(n) for n in one.authors]),
    "a teaser": lambda one: _remade(one, abstract=one.abstract[:200] + "…", authors=[]),
    "TeX in the title": lambda one: _remade(one, title=_TEX.sub(r"$\\mathbf{\1}$", one.title)),
    "hard wraps": lambda one: _remade(one, abstract=one.abstract.replace(" ", "\n  ")),
}
_UNLIKE: dict[str, Change] = {
    "a namesake": lambda one: _remade(one, authors=["Emmy Noether"], abstract=OTHER),
    "a second part": lambda one: _remade(one, title=one.title + " II"),
    "the same group again": lambda one: _remade(one, title="Further " + one.title, abstract=OTHER),
}


def _made() -> list[Listing]:
    """Listings made up of the words of a field, forty papers of forty groups."""
    dice = random.Random(3)  # noqa: S311  # made-up texts, no secrets
    words = (ABSTRACT + " " + OTHER).lower().replace(".", "").split()
    return [
        listing(
            "made",
            title=" ".join(dice.sample(words, 7)).capitalize(),
            abstract=" ".join(
                f"{word}{dice.choice(['', n])}" for word in dice.choices(words, k=80)
            ),
            authors=[f"{letter}. Author{n}" for letter in "ABC"],
        )
        for n in range(40)
    ]


def _real() -> list[Listing]:
    """Listings with an abstract out of the recordings, one of each paper; none without them."""
    bodies = [
        ("huggingface", "huggingface/daily_papers_2026-06-12.json"),
        ("arxiv", "arxiv_rss/quant-ph_2025-04-28.rss.xml"),
        ("biorxiv", "biorxiv/plant_biology_2019.rss1.rdf"),
        ("pubmed", "pubmed/efetch_ai_radiology_2026-06.xml"),
        ("feed", "huggingface/takara_daily_papers_2026-04-30.rss.xml"),
    ]
    if not (SHARED / "payloads").exists():
        return []
    batches = [read(kind, (SHARED / "payloads" / path).read_bytes()) for kind, path in bodies]
    return [one for batch in batches for one in batch.listings if len(one.abstract) > 100]


def _pairs(
    real: list[Listing], changes: dict[str, Change]
) -> Iterator[tuple[str, Listing, Listing]]:
    for name, change in changes.items():
        for one in real:
            yield name, one, change(one)


def _formats() -> Iterator[tuple[Listing, Listing]]:
    """The same posts as one site gives them in two formats, with ids of their own."""
    folder = SHARED / "payloads"
    if folder.exists():
        atom = read("feed", (folder / "feeds/DaringFireball.atom").read_bytes(), "atom").listings
        other = read(
            "feed", (folder / "jsonfeed/DaringFireball.json").read_bytes(), "json"
        ).listings
        yield from zip(atom, other, strict=True)


def alike() -> list[Verdict]:
    """Whether pairs that are one paper joined."""
    real = [*_real(), *_made()]
    made = [(name, len(joined(one, two)) == 1) for name, one, two in _pairs(real, _ALIKE)]
    return made + [("two formats", len(joined(*pair)) == 1) for pair in _formats()]


def unlike() -> list[Verdict]:
    """Whether pairs that are two papers joined."""
    real = [*_real(), *_made()]
    made = [(name, len(joined(one, two)) == 1) for name, one, two in _pairs(real, _UNLIKE)]
    posts = [one for one, _ in _formats()]
    neighbours = [*pairwise(real), *pairwise(posts)]
    return made + [("neighbours", is_same(one, two)) for one, two in neighbours]
