"""The digests of the golden mails, by name, each with the reason why it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

from digest.model import (
    Digest,
    Frame,
    Link,
    Match,
    PersonalLinks,
    Profile,
    Reason,
    Receipt,
    Section,
    SectionName,
    SourceRun,
    Standing,
    Subscriber,
)
from digest.standing import why_empty
from tests.renderer.mails import (
    DAY,
    FRAME,
    LINKS,
    MATCH,
    NOW,
    REASONS,
    RUNS,
    digest,
    hostile_digest,
    listing,
    match,
)

TUNED = replace(LINKS, tune="https://example.org/tune/ghi")


@dataclass(frozen=True)
class Case:
    """A digest, why it is here, and what of frame and links differs from the usual."""

    why: str
    digest: Digest
    frame: Frame = FRAME
    links: PersonalLinks = TUNED

    def __post_init__(self) -> None:
        # As in real mails each listing has a row, so that it can be judged.
        object.__setattr__(self, "digest", numbered(self.digest))


def numbered(made: Digest) -> Digest:
    """The digest with its listings as the store numbers them."""
    numbers = count(1)
    sections = tuple(
        replace(
            section,
            matches=tuple(
                replace(each, listing=replace(each.listing, id=next(numbers)))
                for each in section.matches
            ),
        )
        for section in made.sections
    )
    return replace(made, sections=sections)


def one(reason: str, **fields: object) -> Case:
    """A digest of one listing with these fields."""
    return Case(reason, digest(match(**fields)))


def reasons(reason: str, score: float, *given: Reason) -> Case:
    """A digest of the usual listing with these reasons."""
    return Case(reason, digest(replace(MATCH, score=score, reasons=given)))


AT = NOW - timedelta(hours=1)
ANNOUNCED = SourceRun("arXiv", AT, 239, 239, 180, 59, 3, DAY, calendar="arxiv", list_on=DAY)
LISTED = SourceRun("Daily Papers", AT, None, 30, 30, 0, 0, DAY, calendar="huggingface")
QUIET = SourceRun("A journal", AT, calendar="rhythm")
DOWN = SourceRun(
    "bioRxiv", AT, error="source 'bioRxiv': 503 Service Unavailable", calendar="biorxiv",
    failing_since=AT, retry_at=NOW + timedelta(minutes=50),
)  # fmt: skip
SILENT = SourceRun(
    "A second journal", AT, calendar="rhythm", list_at=NOW - timedelta(days=16),
    standing=Standing.SILENT,
)  # fmt: skip
WEEKEND = (
    SourceRun(
        "arXiv", AT, calendar="arxiv", list_on=date(2026, 11, 21), standing=Standing.REST,
        reason="on Fridays and Saturdays",
    ),
    SourceRun(
        "Daily Papers", AT, calendar="huggingface", standing=Standing.REST, reason="at weekends"
    ),
)  # fmt: skip
HOLIDAY = (
    SourceRun(
        "arXiv", AT, calendar="arxiv", standing=Standing.REST, reason="on Thanksgiving"
    ),
    SourceRun(
        "cs.RO", AT, None, 40, 0, calendar="arxiv", list_on=date(2026, 11, 26),
        standing=Standing.REPEATED,
    ),
)  # fmt: skip
NEAR = Match(listing(), 0.18, (Reason("decoding", "title", 0.18),))
CASES = {
    "plain": Case("the usual mail, nothing special in it", digest()),
    "bare": one(
        "a listing with nothing but a title: no link, no authors, no abstract",
        url="", authors=(), abstract="", organization="", votes=None, comments=None, links=(),
        published_at=None,
    ),
    "tex": one(
        "TeX in title and abstract, exact and not",
        title=r"L\'evy $\alpha$-flights in $\mathcal{O}(k^{-3})$ steps",
        abstract=r"We bound $\Gamma_\mathrm{c}$ by $\frac{4}{3}$. It costs \$5 and 10\% of $N_c$.",
    ),
    "japanese": one(
        "wide characters: base64, lines by columns, sentences without blanks",
        title="深層学習による拡散モデルの高速化",
        abstract="推論を高速化する手法を提案する。学習を必要としない。" * 6,
        authors=("湯川 秀樹", "朝永 振一郎"),
    ),
    "hebrew": one(
        "a title from right to left, with marks of direction in it",
        title="\u202eלמידה עמוקה\u202c לזיהוי תבניות",
    ),
    "author-count": one("a page that names a number of authors only", authors=(), author_count=5),
    "many-authors": one(
        "seventy authors, particles, a suffix and a group",
        authors=("Johannes van der Waals", "Martin Luther King Jr.", "The LIGO Collaboration")
        + ("Emmy Noether",) * 67,
    ),
    "last-year": one(
        "a listing of another year", published_at=datetime(2025, 10, 8, 12, tzinfo=UTC)
    ),
    "also-in": one("one paper in two sources, with a note", also_in=("huggingface",), note="v2"),
    "unsafe-links": one(
        "links that lead nowhere good are left out",
        url="javascript:alert(1)",
        links=(Link("pdf", "data:text/html,x"), Link("project", "https://example.org/p q")),
    ),
    "list-abstract": one(
        "Markdown in an abstract: emphasis, code and a list, and signs that are none",
        abstract="It is *fast* and `small`, a*b*c.\n\n- one <swi>\n- two_three_four",
    ),
    "long-title": one("a title too long for the subject", title="Very long words indeed " * 30),
    "all-reasons": reasons(
        "every kind of reason in one line", 0.55,
        Reason("speculative decoding", "title", 0.42),
        Reason("speculative decoding", "abstract", 0.1),
        Reason("draft model", "abstract", 0.08, 4, part="draft"),
        Reason("Emmy Noether", "author", 0.0),
        Reason("verifier", "abstract", 0.02, related=True), Reason("survey", "title", -0.07),
    ),
    "many-terms": reasons(
        "more terms than a line can hold", 0.45,
        *(Reason(f"term {n}", "abstract", 0.05) for n in range(9)),
    ),
    "sections": Case(
        "every section, numbered through",
        digest(
            sections=tuple(Section(name, (match(key=name.value),)) for name in SectionName),
            receipt=Receipt((), 412, 14, 7, 2),
        ),
    ),
    "short": Case(
        "more fits than the cap lets through: titles at the end, and what waits",
        digest(
            sections=(
                Section(SectionName.FOR_YOU, (MATCH,)),
                Section(SectionName.SHORT, tuple(
                    replace(MATCH, score=0.4 - n / 10, listing=listing(key=f"s{n}", title=title))
                    for n, title in enumerate(("Accepting Tokens at Once", "Trees of Drafts"))
                )),
            ),
            receipt=Receipt(RUNS, 412, 5, 3, 2),
        ),
    ),
    "waiting": Case(
        "nothing new, and what found no room on the days before",
        digest(
            match(key="w"), match(key="v", title="A Second That Waited", url=""),
            section=SectionName.WAITING, receipt=Receipt(RUNS, 0, 0, 2, 0),
        ),
    ),
    "rising": Case(
        "passed over on its day: below the floor, and voted for since",
        digest(
            Match(listing(votes=214), 0.18, (Reason("decoding", "title", 0.18),)),
            section=SectionName.RISING, receipt=Receipt(RUNS, 412, 0, 1, 0),
        ),
    ),
    "followed": Case(
        "a followed author and a followed lab, named without points",
        digest(
            Match(listing(), 0.0, (
                Reason("Noether, E.", "author", 0.0),
                Reason("University of Göttingen", "org", 0.0),
            )),
            section=SectionName.FOLLOWED, receipt=Receipt(RUNS, 412, 0, 1, 0),
        ),
    ),
    "trending": Case(
        "the most voted with nothing of the profile in it: no reasons, no score",
        digest(
            Match(listing(), 0.0), section=SectionName.TRENDING,
            receipt=Receipt(RUNS, 412, 0, 1, 0),
        ),
    ),
    "hint": Case(
        "a note to who has matched nothing for long, with a keyword that looks like markup",
        digest(
            sections=(), empty_reason="None of the 81 new listings reached your floor of 0.25.",
            hint="Nothing has fit you for 14 days. In none of the 1,204 listings of that time: "
            "“quantum <foam>”. Shorter keywords find more, and a floor below 0.25 lets more of the "
            "others through.",
            receipt=Receipt(RUNS, 81, 0, 0, 0),
        ),
    ),
    "hint-and-misses": Case(
        "the same with the near misses under it",
        digest(
            NEAR, section=SectionName.NEAREST, empty_reason="nothing reached your floor",
            hint="Nothing has fit you for 14 days.", receipt=Receipt(RUNS, 81, 0, 0, 0),
        ),
    ),
    "first-only": Case(
        "one listing fits and is followed as well: the lead in the singular",
        digest(
            replace(MATCH, reasons=(*REASONS, Reason("Noether, E.", "author", 0.0))),
            receipt=Receipt(RUNS, 412, 1, 1, 0),
        ),
    ),
    "near-misses": Case(
        "nothing reached the floor: how far away the nearest are",
        digest(NEAR, section=SectionName.NEAREST, empty_reason="nothing reached your floor",
               receipt=Receipt((), 81, 0, 0, 0)),
    ),
    "empty-note": Case(
        "an empty day, told in one line",
        digest(sections=(), empty_reason="arXiv announces nothing at weekends",
               receipt=Receipt((), 0, 0, 0, 0)),
    ),
    "troubled-sources": Case(
        "a source that failed, one that is late, one without a count",
        digest(receipt=Receipt(
            (
                SourceRun("arxiv", NOW, 312, 312, 240, 60, 12, date(2026, 11, 17)),
                SourceRun("biorxiv", NOW, error="HTTP 503\r\nRetry-After: 60"),
                SourceRun("feed", NOW, None, 9, 9),
            ),
            412, 14, 12, 2,
        )),
    ),
    "usual-receipt": Case(
        "sources by their calendars: a stated count, a list, a feed, and what fits of each",
        digest(
            match(also_in=("Daily Papers",)),
            receipt=Receipt((ANNOUNCED, LISTED, QUIET), 412, 15, 10, 5,
                            (("Daily Papers", 1), ("arXiv", 14))),
        ),
    ),
    "saturday": Case(
        "nothing at a weekend: the reason and the receipt in the same words",
        digest(sections=(), empty_reason=why_empty(0, 0.0, 0.25, WEEKEND, date(2026, 11, 21)),
               digest_on=date(2026, 11, 21), receipt=Receipt(WEEKEND)),
    ),
    "holiday": Case(
        "nothing on a holiday, and an old list repeated elsewhere",
        digest(sections=(), empty_reason=why_empty(0, 0.0, 0.25, HOLIDAY, date(2026, 11, 27)),
               digest_on=date(2026, 11, 27), receipt=Receipt(HOLIDAY)),
    ),
    "failed-source": Case(
        "no answer, with the times in the reader's zone; one that has been silent for too long",
        digest(
            subscriber=Subscriber("ada@example.org", Profile(), timezone="Europe/Berlin"),
            receipt=Receipt((DOWN, SILENT, ANNOUNCED), 239, 14, 1, 0, (("arXiv", 14),)),
        ),
    ),
    "many-sources": Case(
        "more sources than a receipt can name",
        digest(receipt=Receipt(
            tuple(SourceRun(f"feed {n}", NOW, None, n, n, 0, 0, DAY) for n in range(30)),
            412, 1, 1, 0,
        )),
    ),
    "no-links": Case(
        "a service without pages: no List-Unsubscribe, the reader is told to reply",
        digest(), links=PersonalLinks("", ""),
    ),
    "note": Case(
        "an operator's note with Markdown, and HTML that is not let through",
        digest(),
        frame=replace(FRAME, note="**Seminar** [here](https://example.org/s) <img src=x>"),
    ),
    "note-below": Case(
        "the operator's note under the items, over the receipt",
        digest(),
        frame=replace(FRAME, note="**Seminar** on Friday", note_position="below"),
    ),
    "note-below-nothing": Case(
        "the same on an empty day",
        digest(sections=(), empty_reason="nothing was announced", receipt=Receipt((), 0, 0, 0, 0)),
        frame=replace(FRAME, note="Seminar on Friday", note_position="below"),
    ),
    "idn": Case(
        "a recipient's and a sender's domain outside ASCII, a name that needs quoting",
        digest(subscriber=Subscriber("ada@bücher.example", Profile())),
        frame=replace(FRAME, sender=("Läse, Saal", "digest@bücher.example"), reply_to=""),
    ),
    "hostile-header": Case(
        "text that wants to be a header field",
        hostile_digest("x=?UTF-8?Q?=0A?=\r\nBcc: a@b.example\r\n\r\n.\r\n"),
    ),
    "hostile-markup": Case(
        "text that wants to be markup, a comment or a template",
        hostile_digest("</td>--><script>alert({{ 7*7 }})</script><![endif]-->"),
    ),
}  # fmt: skip
