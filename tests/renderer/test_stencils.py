"""Mails that are filled in say what mails say that are rendered as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import (
    Abstracts,
    Digest,
    Frame,
    Link,
    Match,
    PersonalLinks,
    Profile,
    Reason,
    Section,
    SectionName,
    Subscriber,
)
from digest.renderer import Renderer
from digest.renderer.marks import Mark, MarkError
from digest.renderer.theme import compiled
from tests.renderer.corpus.cases import CASES
from tests.renderer.mails import (
    FRAME,
    HOSTILE,
    ID,
    LINKS,
    MATCH,
    NOW,
    REASONS,
    digest,
    hostile_digest,
    listing,
    part,
    renderer,
)
from tests.renderer.plain_frames import rendered_whole

TUNED = PersonalLinks(LINKS.manage, LINKS.unsubscribe, "https://example.org/tune/ghi")
TEMPLATES = ("digest.html", "digest.txt", "item.html", "item.txt", "subject.txt")


def assert_same(made: Digest, frame: Frame = FRAME, links: PersonalLinks = TUNED) -> None:
    """Both ways give one subject, one text and one HTML."""
    filled, whole = (
        renderer(one).render(made, ID, NOW, links) for one in (frame, rendered_whole(frame))
    )
    assert filled.subject == whole.subject
    for kind in ("plain", "html"):
        assert part(filled, kind) == part(whole, kind)


def test_the_packaged_templates_are_filled_in() -> None:
    """No packaged template does more with a personal value than print it."""
    own, whole = compiled(FRAME.templates), compiled(rendered_whole(FRAME).templates)
    marks = {"subject": Mark("subject"), "day": "", "service": ""}
    assert own.marked("subject.txt", marks) is not None
    assert whole.marked("subject.txt", marks) is None
    assert own.filled_in == set(TEMPLATES)
    assert not whole.filled_in


@pytest.mark.parametrize("name", list(CASES))
def test_golden_mails_are_the_same_either_way(name: str) -> None:
    """Every case of the corpus, whatever is there and whatever is missing."""
    case = CASES[name]
    assert_same(case.digest, case.frame, case.links)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_mails_are_the_same_either_way(text: str) -> None:
    """Text that tries to be something else is the same text."""
    assert_same(hostile_digest(text))


WORDS = st.sampled_from(
    ["draft", "model", "speculative", "decoding", "decoding.", "*draft*", "`model`", "=3D", "é",
     "長い", "“draft", "model”", "<b>", "&amp;", ".", "\n", "\n\n", "- ", "$x$", "a" * 90]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=60).map(" ".join)
TERMS = st.sampled_from(["draft model", "speculative decoding", "model", "draft", "<b>", "x"])
REASONS_OF = st.builds(
    Reason,
    TERMS,
    st.sampled_from(["title", "abstract", "org"]),
    st.floats(-0.4, 0.4),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(["", "draft"]),
)
LISTINGS = st.builds(
    listing,
    key=st.sampled_from("abc"),
    title=TEXTS,
    abstract=TEXTS,
    url=st.sampled_from(["", "https://example.org/a?b=c&d=e"]),
    note=st.sampled_from(["", "A second version"]),
    links=st.sampled_from([(), (Link("pdf", "https://example.org/p=q"),)]),
    id=st.integers(0, 2),
)
MATCHES = st.builds(Match, LISTINGS, st.floats(0, 1), st.lists(REASONS_OF, max_size=9).map(tuple))
DIGESTS = st.builds(
    digest,
    sections=st.lists(
        st.builds(Section, st.sampled_from(SectionName), st.lists(MATCHES, max_size=4).map(tuple)),
        max_size=4,
    ).map(tuple),
    subscriber=st.builds(
        Subscriber,
        st.just("ada@example.org"),
        st.builds(Profile, abstracts=st.sampled_from(Abstracts)),
    ),
    empty_reason=st.sampled_from(["", "it is Sunday"]),
)


@settings(max_examples=60, deadline=None)
@given(DIGESTS, st.sampled_from([LINKS, TUNED, PersonalLinks("", "")]))
def test_any_mail_is_the_same_either_way(made: Digest, links: PersonalLinks) -> None:
    """Any mixture of sections, reasons, links and highlights."""
    assert_same(made, links=links)


@pytest.mark.parametrize(
    "source",
    [
        "{{ item.why | upper }}",
        "{{ item.why[:5] }}",
        "{{ item.why ~ '!' }}",
        "{% if item.score == '0.53' %}good{% endif %}",
        "{% if item.meter > 20 %}long{% endif %}",
        "{{ item.meter | int + 1 }}",
        "{{ item.why | length }}",
        "{{ item.why is string }}",
        "{{ '%s' | format(item.why) }}",
        "{{ item.why | replace('of', 'for') }}",
        "{{ item }}",
        "{{ item.score | float }}",
        "{{ [item.why] | select('string') | join }}",
        "{{ [item.why] | join }}",
        "{{ (item.why, item.score) }}",
        "{{ item.why in ['x'] }}",
        "{% filter upper %}{{ item.why }}{% endfilter %}",
        "{% set shown %}{{ item.why }}{% endset %}{{ shown | upper }}",
        "{% macro loud(x) %}{{ x }}{% endmacro %}{{ loud(item.why) | upper }}",
        "{% autoescape false %}{{ item.why }}{% endautoescape %}",
        "{{ item.why | e }}",
        "{% set own = item.why %}{{ own }}",
        "{{ item.why if item.score else item.title }}",
        "{{ item.why or 'nothing' }}",
        "{{ item.why | default('nothing') }}",
        "{{ item.why | wrapped('- ', '  ') }}",
        '<p title="{{ item.why }}">{{ item.why }}{{ item.why }}</p>',
    ],
)
@pytest.mark.parametrize("template", ["item.html", "item.txt"])
def test_templates_may_do_what_they_like_with_a_value(template: str, source: str) -> None:
    """Whatever an operator's template does with a personal value, it does it to the value."""
    templates = {**dict(FRAME.templates), template: source}
    reason = Reason("<b>speculative decoding</b>", "title", 0.42)
    made = digest(replace(MATCH, reasons=(reason, *REASONS)), MATCH)
    assert_same(made, replace(FRAME, templates=tuple(templates.items())))


@pytest.mark.parametrize(
    "source",
    [
        "{{ lead | join(' ') | wrapped }}",
        "{{ lead | length }} {{ lead | first }}",
        "{{ digest.subscriber.email }}",
        "{{ footer.why | upper }}",
        "{{ receipt.counts | wrapped('> ') }}",
        "{{ receipt }}",
        "{% for section in sections %}{{ section.items | length }}"
        "{% for item in section.items %}{{ item.text | upper }}{{ item.html }}{% endfor %}"
        "{% endfor %}",
        "{% for section in sections %}{% for item in section.items | reverse %}{{ item.text }}"
        "{% endfor %}{% endfor %}",
    ],
)
def test_frames_may_do_what_they_like_with_a_value(source: str) -> None:
    """The same of what stands around the items."""
    templates = {**dict(FRAME.templates), "digest.txt": source}
    made = digest(MATCH, replace(MATCH, listing=listing(key="b", title="Second")))
    assert_same(made, replace(FRAME, templates=tuple(templates.items())))


def test_the_same_bytes_whatever_came_before() -> None:
    """What a renderer keeps from other mails leaves no trace in the next."""
    fresh, used = Renderer(FRAME), Renderer(FRAME)
    for text in HOSTILE:
        used.render(hostile_digest(text), ID, NOW, LINKS)
    near = digest(replace(MATCH, score=0.0, reasons=()), MATCH)
    used.render(near, ID, NOW, LINKS)
    assert fresh.render(digest(), ID, NOW, TUNED).raw == used.render(digest(), ID, NOW, TUNED).raw


def test_equal_listings_of_two_rows_keep_their_own_links() -> None:
    """Tuning links name the row, which is no part of what makes two listings equal."""
    first, second = (digest(replace(MATCH, listing=listing(id=number))) for number in (7, 8))
    renderer().render(first, ID, NOW, TUNED)
    assert "https://example.org/tune/ghi/more/8" in renderer().render(second, ID, NOW, TUNED).html


def test_a_mark_can_only_be_printed() -> None:
    """A mark is there, and tells nothing else about itself."""
    mark = Mark("why")
    assert mark
    for ask in (str, repr, hash, int, float, lambda one: one == "why", lambda one: f"{one}"):
        with pytest.raises(MarkError):
            ask(mark)
