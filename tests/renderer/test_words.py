"""The mail's words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from digest.model import (
    Listing,
    Match,
    Profile,
    Reason,
    Receipt,
    SectionName,
    SourceRun,
    Standing,
    Subscriber,
)
from digest.renderer import words
from tests.renderer.mails import LISTING, NOW, RUNS, digest, listing, match

NAMES = [
    ("Tri Dao", "Dao"),
    ("Dao, Tri", "Dao"),
    ("Johannes van der Waals", "van der Waals"),
    ("Martin Luther King Jr.", "King Jr."),
    ("The LIGO Collaboration", "The LIGO Collaboration"),
    ("湯川 秀樹", "湯川 秀樹"),
    ("Plato", "Plato"),
    (",", ","),
    ("de Broglie", "Broglie"),
    ("Louis de Broglie", "de Broglie"),
]


@pytest.mark.parametrize(("name", "family"), NAMES)
def test_family_names(name: str, family: str) -> None:
    """A name is cut to what a reader knows its owner by."""
    assert words.family_name(name) == family


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"authors": ("A Dao",)}, "Dao"),
        ({"authors": ("A Dao", "B Gu", "C Ré")}, "Dao, Gu, Ré"),
        ({"authors": ("A Dao", "B Gu", "C Ré", "D Fu")}, "Dao, Gu +2"),
        ({"authors": ("A Dao", "", " ")}, "Dao"),
        ({"authors": ("A Dao",), "author_count": 7}, "Dao +6"),
        ({"authors": (), "author_count": 5}, "5\u00a0authors"),
        ({"authors": (), "author_count": 1}, "1\u00a0author"),
        ({"authors": ()}, ""),
    ],
)
def test_people(fields: dict[str, object], shown: str) -> None:
    """At most three authors are named, the others counted."""
    assert words.people(listing(**fields)) == shown


def test_meta_says_only_what_is_known() -> None:
    """Absent numbers and days leave no gap; nought is a number."""
    assert words.meta(Listing("k", "arxiv", "T"), 2026) == "arxiv"
    assert words.meta(Listing("k", "arxiv", "T", votes=0), 2026) == "arxiv\u00a0· 0\u00a0votes"
    shown = words.meta(replace(LISTING, also_in=("hf", "arxiv")), 2027).replace("\u00a0", " ")
    assert shown == (
        "Noether, Kovalevskaya +2 · University of Göttingen · arxiv, also in hf · 19 Nov 2026"
        " · 118 votes · 12 comments"
    )


REASONS = [
    ((Reason("a", "title", 0.42),), "“a” in the title (+0.42)"),
    (
        (Reason("a", "title and abstract", 0.42, 3),),
        "“a” in the title and the abstract, 3 times (+0.42)",
    ),
    ((Reason("a", "abstract", 0.11, 2),), "“a” in the abstract, twice (+0.11)"),
    ((Reason("a", "abstract", 0.11, 4),), "“a” in the abstract, 4 times (+0.11)"),
    ((Reason("a", "title", 0.11, 4),), "“a” in the title, 4 times in all (+0.11)"),
    (
        (Reason("a", "abstract", 0.1), Reason("b", "title", 0.1), Reason("a", "title", 0.3)),
        "“a” in the title (+0.30) and in the abstract (+0.10), “b” in the title (+0.10)",
    ),
    ((Reason("Tri Dao", "author", 0.0),), "“Tri Dao” among the authors"),
    ((Reason("category:cs.DS", "category", 0.05),), "“cs.DS” among the subjects (+0.05)"),
    ((Reason('"flash attention"', "title", 0.3),), "“flash attention” in the title (+0.30)"),
    ((Reason("a b", "title", 0.1, part="a"),), "“a” of “a b” in the title (+0.10)"),
    (
        (Reason("a", "title", 0.4), Reason("title:survey", "title", -0.07)),
        "“a” in the title (+0.40); held back by “survey” in the title (−0.07)",
    ),
    (
        (Reason("a", "title", 0.4), Reason("x", "abstract", 0.02, related=True)),
        "“a” in the title (+0.40), the related word “x” (+0.02)",
    ),
    (
        tuple(Reason(f"t{n}", "abstract", 0.05) for n in range(8)),
        ", ".join(f"“t{n}” in the abstract (+0.05)" for n in range(6)) + ", 2 more (+0.10)",
    ),
    (
        (Reason("draft model", "abstract", 0.1, part="Draft model"),),  # neither whole nor a part
        "the words of “draft model” in the abstract (+0.10)",
    ),
    ((), ""),
]


@pytest.mark.parametrize(("reasons", "shown"), REASONS)
def test_reasons_in_words(reasons: tuple[Reason, ...], shown: str) -> None:
    """Each reason says what, where, how often and how much."""
    assert words.because(reasons) == shown


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        (SectionName.FOR_YOU, "Because of “a” in the title (+0.18)"),
        (SectionName.TRENDING, "From your keywords: “a” in the title (+0.18)"),
        (SectionName.WAITING, "Because of “a” in the title (+0.18)"),
        (SectionName.SHORT, ""),
        (SectionName.NEAREST, "0.07 below your floor of 0.25: “a” in the title (+0.18)"),
    ],
)
def test_why_depends_on_the_section(section: SectionName, shown: str) -> None:
    """A trending listing is not there because of a keyword, a near miss in spite of one."""
    made = Match(LISTING, 0.18, (Reason("a", "title", 0.18),))
    assert words.why(made, section, 0.25) == shown


COUNTS = [
    (
        Receipt((), 412, 14, 12, 2),
        "412 new listings considered, 14 fit you, 12 shown, 2 wait for tomorrow.",
    ),
    (
        Receipt((), 412, 14, 12, 1),
        "412 new listings considered, 14 fit you, 12 shown, 1 waits for tomorrow.",
    ),
    (Receipt((), 1, 1, 1, 0), "1 new listing considered, 1 fits you, 1 shown."),
    (Receipt((), 9, 0, 0, 0), "9 new listings considered, none fits you."),
    (Receipt((), 9, 0, 2, 0), "9 new listings considered, none fits you, 2 shown."),
    (Receipt((), 0, 0, 0, 2), "No new listing to consider, 2 wait for tomorrow."),
]


@pytest.mark.parametrize(("receipt", "shown"), COUNTS)
def test_counts(receipt: Receipt, shown: str) -> None:
    """The receipt's sentence holds for none, one and many."""
    assert words.counts(receipt).replace("\u00a0", " ") == shown


def receipt_of(*runs: SourceRun, matched_by: tuple[tuple[str, int], ...] = ()) -> Receipt:
    """A receipt of these runs; what fits is parted by source."""
    matched = sum(count for _, count in matched_by)
    return Receipt(runs, 412, matched, 1, 0, matched_by)


def test_sources_say_what_became_of_their_listings() -> None:
    """Announced, read, new, too old, what of it fits, what is shown and where that is as well."""
    made = digest(
        match(also_in=("Daily Papers",)),
        receipt=receipt_of(RUNS[0], SourceRun("x", NOW, error="503"), matched_by=(("arxiv", 14),)),
    )
    assert words.sources(made)[0] == (
        "arxiv announced 312; read 312, 240 of them new; 12 too old to send; 14 fit you; "
        "1 shown (1 also in Daily Papers)."
    )
    assert words.troubles(made) == ["x could not be read: 503."]


def test_what_is_only_near_is_not_counted_as_shown() -> None:
    """A near miss is in the mail, and still none of the source's listings fits."""
    made = digest(section=SectionName.NEAREST, receipt=Receipt(RUNS, 240, 0, 0, 0))
    (said,) = words.sources(made)
    assert said.endswith("; none fits you.")


def test_an_older_receipt_says_nothing_of_what_fits_by_source() -> None:
    """A row from before this was counted, and a list of feeds whose feeds go by other names."""
    for fits in ((), (("one of its feeds", 14),)):
        made = digest(receipt=Receipt(RUNS, 412, 14, 1, 0, fits))
        assert "fit" not in words.sources(made)[0]


def test_times_of_a_failure_are_in_the_readers_zone() -> None:
    """The mail names the zone, as its reader may be elsewhere; silence is trouble as well."""
    down = SourceRun(
        "bioRxiv",
        NOW,
        error="source 'bioRxiv': https://example.org/feed?key=secret: 503",
        calendar="biorxiv",
        failing_since=NOW,
        retry_at=NOW + timedelta(minutes=50),
    )
    silent = SourceRun("A feed", NOW, list_at=NOW - timedelta(days=9), standing=Standing.SILENT)
    reader = Subscriber("ada@example.org", Profile(), timezone="Asia/Tokyo")
    made = digest(subscriber=reader, receipt=receipt_of(down, silent))
    assert words.troubles(made) == [
        "bioRxiv has not answered since 16:30 JST; we try again at 17:20 JST (503).",
        "A feed has brought nothing since 11 November, longer than it should.",
    ]
    assert words.sources(made) == []


def test_many_quiet_sources_share_a_line() -> None:
    """Feeds without news are named by three; what has news is never among them."""
    quiet = [SourceRun(f"Feed {n}", NOW, calendar="rhythm") for n in range(9)]
    made = digest(receipt=receipt_of(*quiet, RUNS[0]))
    assert words.sources(made)[1:] == ["Nothing new from Feed 0, Feed 1, Feed 2 and 6 more."]
    few = digest(receipt=receipt_of(*quiet[:2]))
    assert words.sources(few) == ["Feed 0 brought nothing new.", "Feed 1 brought nothing new."]


def test_days_do_not_depend_on_the_locale() -> None:
    """Days are written in English, whatever the machine speaks."""
    assert words.long_day(NOW.date()) == "Friday 20 November"
    assert words.short_day(NOW.date()) == "Fri 20 Nov"
