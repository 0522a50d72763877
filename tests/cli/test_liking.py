"""Likes by command: said, listed, taken back, and turned into keywords."""

from __future__ import annotations

import tomllib

import pytest

from digest.model import Listing
from tests.cli.desk import ADA, EMMY, PAPERS, Desk, at

RIVERS = tuple(
    (f"Sediment Transport in Braided Rivers {n}", "Gravel and sand in a braided river bed.", 1)
    for n in range(4)
)
ADA_LEARNS = ADA.replace("[subscribers.keywords]", "learn = true\n[subscribers.keywords]")
MARY = ("mary@example.org", "-k", "turbulence")


@pytest.fixture
def rivers(desk: Desk) -> Desk:
    """A desk with four papers on rivers among the others, read."""
    desk.write_papers("papers.jsonl", (*PAPERS, *RIVERS))
    desk.run("ingest")
    return desk


def likes(desk: Desk, email: str = "ada@example.org") -> list[tuple[str, int]]:
    """What somebody said, the newest first."""
    return [(one["title"], one["value"]) for one in desk.json("profile", "likes", email)]


def test_a_like_is_kept_and_taken_back(rivers: Desk) -> None:
    """By a part of the title; a second word takes the place of the first."""
    said = rivers.run("like", "ada@example.org", "four bits")
    assert said.stdout == "more like this: Quantized Weights at Four Bits\n"
    assert "digest profile suggest ada@example.org" in said.stderr
    rivers.run("dislike", "ada@example.org", "Quantized")
    assert likes(rivers) == [("Quantized Weights at Four Bits", -1)]
    undone = rivers.run("like", "ada@example.org", "quantized", "--undo").stdout
    assert undone == "taken back: Quantized Weights at Four Bits\n"
    assert likes(rivers) == []
    told = rivers.refused("dislike", "ada@example.org", "quantized", "--undo", code=1)
    assert told.endswith("has said nothing of 'Quantized Weights at Four Bits'")


def test_who_learns_is_not_told_how(rivers: Desk) -> None:
    """The hint is for those whose likes do not count yet."""
    rivers.write_config(ADA_LEARNS)
    assert rivers.run("like", "ada@example.org", "four bits").stderr == ""


@pytest.mark.parametrize(
    "text",
    [
        "arxiv:2606.00467",
        "2606.00467",
        "arXiv:2606.00467v3",
        "https://arxiv.org/abs/2606.00467v1",
        "https://arxiv.org/pdf/2606.00467",
        "10.1101/2026.01.01.123456",
        "https://doi.org/10.1101/2026.01.01.123456",
        "http://www.example.org/tiles/",
        "tiles in",
        "TILES IN FAST MEMORY",
    ],
)
def test_a_listing_is_named_in_any_way(desk: Desk, text: str) -> None:
    """Key, arXiv id, DOI, address, title or a part of it."""
    desk.run("ingest")
    desk.add_listing(
        Listing(
            key="arxiv:2606.00467",
            source="Papers",
            title="Tiles in Fast Memory",
            url="https://example.org/tiles",
            ids=("arxiv:2606.00467", "doi:10.1101/2026.01.01.123456"),
        )
    )
    assert "Tiles in Fast Memory" in desk.run("like", "ada@example.org", text).stdout
    assert desk.run("explain", "ada@example.org", text).stdout.splitlines()[1].startswith("Tiles")


def test_a_wrong_name_brings_the_nearest(rivers: Desk) -> None:
    """And one that several titles have brings those, with their keys."""
    told = rivers.refused("like", "ada@example.org", "Flash Atention for", code=1)
    assert told.endswith("did you mean 'Flash Attention for Long Sequences'?")
    told = rivers.refused("like", "ada@example.org", "Braided", code=1)
    assert "names several listings: 'Sediment Transport in Braided Rivers 3' (guid:" in told
    assert told.endswith(", …; give the key of one")
    told = rivers.refused("like", "adda@example.org", "four bits", code=1)
    assert "did you mean ada@example.org?" in told
    assert "no stored listing has" in rivers.refused(
        "like", "ada@example.org", "https://example.org/none", code=1
    )


def test_without_likes_nothing_is_suggested(rivers: Desk) -> None:
    """It is said how to begin."""
    said = rivers.run("profile", "suggest", "ada@example.org")
    assert (said.stdout, "nothing to learn from yet" in said.stderr) == ("", True)
    assert rivers.json("profile", "suggest", "ada@example.org") == []
    assert "nothing yet" in rivers.run("profile", "likes", "ada@example.org").stderr


def test_suggestions_are_lines_to_paste(rivers: Desk) -> None:
    """Each with its evidence, as a table, as TOML and as JSON."""
    for number in range(3):
        rivers.run("like", "ada@example.org", f"Rivers {number}")
    rivers.run("dislike", "ada@example.org", "Medical")
    shown = rivers.run("profile", "suggest", "ada@example.org").stdout
    assert "in 3 of 3 liked listings, in 0 of 1 disliked ones, in " in shown
    assert "# for config.toml" in shown
    pasted = tomllib.loads(shown[shown.index("[subscribers.keywords]") :])
    weights = pasted["subscribers"]["keywords"]
    rows = rivers.json("profile", "suggest", "ada@example.org")
    assert weights == {row["term"]: row["weight"] for row in rows}
    assert any("braided" in term for term in weights)
    assert all(row["held_by"] for row in rows)
    told = rivers.run("profile", "suggest", "ada@example.org", "--apply", code=1).stderr
    assert "ada@example.org belongs to config.toml: paste the lines there" in told


def test_a_library_is_learned_from(rivers: Desk) -> None:
    """Its papers count as liked beside what was liked; a slip is told, another file refused."""
    entries = [f"@misc{{k{n}, title = {{Braided Glaciers {n}}}}}" for n in range(3)]
    library = rivers.folder / "library.bib"
    library.write_text("\n".join([*entries, "@misc{k1, title = {Again}}"]), "utf-8")
    rivers.run("like", "ada@example.org", "Rivers 1")
    shown = rivers.run("profile", "suggest", "ada@example.org", "--bibtex", "library.bib")
    assert "passed over: library.bib: repeated bibliography entry: k1" in shown.stderr
    assert "in 4 of 4 liked listings" in shown.stdout
    assert '"braided glaciers" = ' in shown.stdout
    rivers.refused("profile", "suggest", "ada@example.org", "--bibtex", "config.toml", code=2)
    told = rivers.refused("profile", "suggest", "ada@example.org", "--bibtex", "no.bib", code=2)
    assert told == "Error: no.bib cannot be read: No such file or directory"


def test_a_library_of_another_program_is_learned_from(rivers: Desk) -> None:
    """The same papers as RIS teach the same as BibTeX."""
    titles = [f"Braided Glaciers {n}" for n in range(3)]
    bib = "\n".join(f"@misc{{k{n}, title = {{{title}}}}}" for n, title in enumerate(titles))
    (rivers.folder / "library.bib").write_text(bib, "utf-8")
    ris = "".join(f"TY  - GEN\r\nTI  - {title}\r\nER  - \r\n" for title in titles)
    (rivers.folder / "library.ris").write_text(ris, "utf-8", newline="")
    suggest = ("profile", "suggest", "ada@example.org")
    shown = rivers.run(*suggest, "--library", "library.ris").stdout
    assert '"braided glaciers" = ' in shown
    assert shown == rivers.run(*suggest, "--bibtex", "library.bib").stdout


def test_a_library_beside_an_empty_store_is_told(desk: Desk) -> None:
    """There is nothing yet that tells what is usual."""
    (desk.folder / "library.bib").write_text("@misc{k, title = {Braided Glaciers}}", "utf-8")
    said = desk.run("profile", "suggest", "ada@example.org", "--library", "library.bib").stderr
    assert "run `digest ingest`" in said


def test_suggestions_are_written_into_a_stored_profile(rivers: Desk) -> None:
    """With `--apply`, as they were shown; what was taken is not suggested again."""
    rivers.run("subscribers", "add", *MARY)
    for number in range(3):
        rivers.run("like", "mary@example.org", f"Rivers {number}")
    rows = rivers.json("profile", "suggest", "mary@example.org")
    said = rivers.run("profile", "suggest", "mary@example.org", "--apply").stdout
    assert "is added, with weight" in said
    kept = rivers.json("subscribers", "show", "mary@example.org")["keywords"]
    assert kept == {"turbulence": 1} | {row["term"]: row["weight"] for row in rows}
    again = rivers.json("profile", "suggest", "mary@example.org")
    assert not {row["term"] for row in again if row["kind"] == "add"} & set(kept)


def test_likes_count_where_the_profile_lets_them(
    rivers: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of older listings is learned what lifts a new one; the reasons say so, the mail as well."""
    for number in range(3):
        rivers.run("like", "ada@example.org", f"Rivers {number}")
    at(monkeypatch, "2026-12-04T14:00:00+00:00")
    new = ("A Braided River of Gravel", "Sediment transport and gravel, with attention to sand.", 1)
    rivers.write_papers("papers.jsonl", (new,))
    rivers.run("ingest")
    (plain,) = rivers.json("explain", "ada@example.org", "River of Gravel")
    assert not [r for r in plain["match"]["reasons"] if r["learned"]]
    rivers.write_config(ADA_LEARNS + EMMY)
    (learned,) = rivers.json("explain", "ada@example.org", "River of Gravel")
    assert learned["match"]["score"] > plain["match"]["score"]
    assert [r for r in learned["match"]["reasons"] if r["learned"]]
    shown = rivers.run("explain", "ada@example.org", "River of Gravel").stdout
    assert "(learned from likes)" in shown
    best = rivers.json("forecast", "ada@example.org", "--days", "5")["best"]
    assert best[0]["score"] == pytest.approx(learned["match"]["score"])
    rivers.run("send", "--now", "--dry-run")
    (mail,) = (rivers.folder / "mails").glob("*.eml")
    assert "likeness to papers you liked" in mail.read_text("utf-8").replace("=\n", "")
