"""A BibTeX library as examples: what is taken of an entry, and what slips do."""

from __future__ import annotations

import pytest

from digest.bibliography import MOST_ENTRIES, read_bibtex
from digest.errors import ConfigError

LIBRARY = r"""
@string{ap = "Annalen der Physik"}
@article{noether, title = {Invariante {V}ariationsprobleme und $x^2$}, journal = ap,
  author = {Noether, Emmy and van der Waals, Johannes D.}, abstract = {Zu Lie-Gruppen.},
  eprint = {2606.00467}, archivePrefix = {arXiv}, doi = {10.1000/ABC}}
@comment{nothing}
@book{godel, title = "{\"U}ber formal unentscheidbare S{\"a}tze", author = {G{\"o}del, Kurt}}
"""


def test_an_entry_becomes_a_listing() -> None:
    """TeX as it reads, names as they are written, identities as the sources give them."""
    (noether, godel), faults = read_bibtex(LIBRARY, "library.bib")
    assert faults == []
    assert noether.title == "Invariante Variationsprobleme und x²"
    assert noether.authors == ("Emmy Noether", "Johannes D. van der Waals")
    assert noether.abstract == "Zu Lie-Gruppen."
    assert (noether.key, noether.ids) == (
        "arxiv:2606.00467",
        ("arxiv:2606.00467", "doi:10.1000/abc"),
    )
    assert godel.title == "Über formal unentscheidbare Sätze"
    assert godel.authors == ("Kurt Gödel",)
    assert godel.key.startswith("guid:bibtex:")


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ("@misc{noether, title = {Again}}", "repeated bibliography entry: noether"),
        ("@misc{a, title = {X}, month = foo}", "undefined string"),
        ("@misc{a, title = {X}, author = {a,b,c,d,e}}", "Too many commas"),
        ("@misc{b, title = {cut", "premature end of file"),
    ],
)
def test_a_slip_costs_no_other_entry(slip: str, told: str) -> None:
    """It is told, and the library is read."""
    listings, faults = read_bibtex(LIBRARY + slip, "library.bib")
    assert {each.title for each in listings} >= {"Über formal unentscheidbare Sätze"}
    assert told in faults[0]
    assert faults[0].startswith("library.bib: ")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "@article{", "{" * 50_000, "@misc{a, title=" + "{" * 5_000, "@misc{a, year=1}"],
)
def test_what_holds_no_paper_is_refused(text: str) -> None:
    """In one line that names the file."""
    with pytest.raises(ConfigError, match=r"^library\.bib: ") as refused:
        read_bibtex(text, "library.bib")
    assert len(refused.value.faults) == 1


def test_the_newest_of_a_large_library_count() -> None:
    """Libraries grow at their end."""
    text = "\n".join(f"@misc{{k{n}, title = {{Paper {n}}}}}" for n in range(MOST_ENTRIES + 2))
    listings, _ = read_bibtex(text, "library.bib")
    assert (len(listings), listings[0].title) == (MOST_ENTRIES, "Paper 2")
