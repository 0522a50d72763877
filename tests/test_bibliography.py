"""A library as examples: what is taken of an entry in each format, and what slips do."""

from __future__ import annotations

import pytest

from digest.bibliography import MOST_ENTRIES, read_library
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
    (noether, godel), faults = read_library(LIBRARY, "library.bib")
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
    listings, faults = read_library(LIBRARY + slip, "library.bib")
    assert {each.title for each in listings} >= {"Über formal unentscheidbare Sätze"}
    assert told in faults[0]
    assert faults[0].startswith("library.bib: ")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "@article{", "{" * 50_000, "@misc{a, title=" + "{" * 5_000, "@misc{a, year=1}"],
)
def test_what_holds_no_paper_is_refused(text: str) -> None:
    """In one line that names the file and what it was taken for."""
    with pytest.raises(ConfigError, match=r"^library\.bib: read as (BibTeX|CSL JSON): ") as refused:
        read_library(text, "library.bib")
    assert len(refused.value.faults) == 1


def test_the_newest_of_a_large_library_count() -> None:
    """Libraries grow at their end."""
    text = "\n".join(f"@misc{{k{n}, title = {{Paper {n}}}}}" for n in range(MOST_ENTRIES + 2))
    listings, _ = read_library(text, "library.bib")
    assert (len(listings), listings[0].title) == (MOST_ENTRIES, "Paper 2")


BIBLATEX = r"""
@online{noether_invariant_2026,
title = {Invariante {Variationsprobleme} and $x^2$}, url = {http://arxiv.org/abs/2606.00467},
doi = {10.48550/arXiv.2606.00467}, abstract = {Zu Lie-Gruppen.}, eprinttype = {arxiv},
eprint = {2606.00467}, eprintclass = {math}, author = {Noether, Emmy and Gödel, Kurt},
date = {2026-06-01}, keywords = {Mathematics - Group Theory}, }
"""

MISC = r"""
@misc{noether_invariante_2026, title = {Invariante Variationsprobleme and $x^2$},
url = {http://arxiv.org/abs/2606.00467}, doi = {10.48550/arXiv.2606.00467},
abstract = {Zu Lie-Gruppen.}, publisher = {arXiv}, author = {Noether, Emmy and Gödel, Kurt},
month = jun, year = {2026}, note = {arXiv:2606.00467 [math]}, }
"""

RIS = """TY  - JOUR
TI  - Invariante Variationsprobleme and x²
AU  - Noether, Emmy
AU  - Gödel, Kurt
AB  - Zu
Lie-Gruppen.
DO  - 10.48550/arXiv.2606.00467
UR  - http://arxiv.org/abs/2606.00467
KW  - Mathematics - Group Theory
ER  - \n
"""

CSL = """[{"id": "noether", "type": "article",
"title": "Invariante <i>Variationsprobleme</i> and x²",
"abstract": "Zu Lie-Gruppen.", "DOI": "10.48550/arXiv.2606.00467", "number": "arXiv:2606.00467",
"URL": "http://arxiv.org/abs/2606.00467", "author": [{"family": "Noether", "given": "Emmy"},
{"literal": "Kurt Gödel"}], "issued": {"date-parts": [["2026", 6, 1]]}}]"""

TABLE = """"Key","Item Type","Publication Year","Author","Title","DOI","Url","Abstract Note","Extra"
"MK49","preprint","2026","Noether, Emmy; Gödel, Kurt","Invariante Variationsprobleme and x²",\
"10.48550/arXiv.2606.00467","http://arxiv.org/abs/2606.00467","Zu Lie-Gruppen.","arXiv: 2606.00467"
"""


@pytest.mark.parametrize(
    "text",
    [BIBLATEX, MISC, RIS, RIS.replace("\n", "\r\n"), CSL, f'{{"items": {CSL}}}', TABLE],
    ids=["biblatex", "misc", "ris", "ris-crlf", "csl", "csl-items", "csv"],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
def test_every_export_of_zotero_gives_the_same_paper(text: str, mark: str) -> None:
    """Known by the key that the store has it under, with what there is to learn from."""
    (paper,), faults = read_library(mark + text, "library")
    assert faults == []
    assert (paper.key, paper.title) == ("arxiv:2606.00467", "Invariante Variationsprobleme and x²")
    assert (paper.abstract, paper.authors) == ("Zu Lie-Gruppen.", ("Emmy Noether", "Kurt Gödel"))
    assert paper.url == "http://arxiv.org/abs/2606.00467"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'[17, {{"title": 3}}, {CSL[1:]}', "library: item 1: is no object with a title"),
        (TABLE + 'x,"' + "y" * 150_000, "library: after line 2: field larger"),
    ],
)
def test_a_slip_in_another_format_costs_no_other_entry(text: str, told: str) -> None:
    """It is told with its number, and the library is read."""
    papers, faults = read_library(text, "library")
    assert [paper.key for paper in papers] == ["arxiv:2606.00467"]
    assert faults[0].startswith(told)


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 50_000, "{}", "[]", "[1]", '{"items": 3}', '{"title": {"a": 1}}', "[torn"),
        *("TY  - JOUR\n", "TY  - JOUR\nx\nER  -", "Author,Title\n", "Author,Title\n\x00,\n"),
    ],
)
def test_what_holds_no_paper_in_another_format_is_refused(text: str) -> None:
    """In one line that names the file and what it was taken for."""
    with pytest.raises(ConfigError, match=r"^library: read as (CSL JSON|RIS|CSV): ") as refused:
        read_library(text, "library")
    assert len(refused.value.faults) == 1


def test_a_last_record_without_its_end_counts() -> None:
    """Whoever saved the file cut its last line."""
    papers, _ = read_library(RIS + RIS.replace("ER  - ", "").replace("Inv", "Cov"), "library")
    assert len(papers) == 2
