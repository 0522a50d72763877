"""The blocks of the templates: each can be an operator's own, and a fault in each is named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from digest.errors import TemplateError
from digest.model import Frame
from digest.renderer import Renderer
from digest.templates import packaged_templates
from tests.renderer.mails import FRAME, ID, LINKS, MATCH, NOW, digest, listing

GUIDE = Path(__file__).parents[2] / "docs" / "mail.md"
BLOCK = re.compile(r"{% block (\w+)")
BLOCKS = [
    (name, block)
    for name, source in packaged_templates()
    for block in dict.fromkeys(BLOCK.findall(source))
]
"""Every block of every packaged template."""

FULL = digest(
    *(
        replace(MATCH, listing=listing(key=f"k{n}", title=f"長 {n}", abstract="長 " * 200))
        for n in range(40)
    )
)
"""More than one mail can hold, so that the block for that is shown as well."""


def frame_with(name: str, block: str, content: str, position: str = "above") -> Frame:
    """The frame of an operator who has replaced one block, with a note."""
    packaged = dict(packaged_templates())
    own = (
        f'{{% extends "packaged/{name}" %}}\n{{% block {block} scoped %}}{content}{{% endblock %}}'
    )
    if block != "section":
        own = own.replace(" scoped", "")
    templates = {**packaged, name: own, f"packaged/{name}": packaged[name]}
    return replace(
        FRAME, note="A word.", note_position=position, templates=tuple(templates.items())
    )


def shown(frame: Frame, name: str, block: str) -> str:
    """The part that the template of that name makes of a mail with that block in it."""
    made = FULL if block == "more" else digest()
    mail = Renderer(frame).render(made, ID, NOW, LINKS)
    return mail.html if name.endswith(".html") else mail.text


@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_every_block_can_be_an_operators_own(name: str, block: str) -> None:
    """What they write stands in the mail, around ours where they ask for it."""
    own = "<p>Over here</p>" if name.endswith(".html") else "Over here\n"
    ours = shown(replace(FRAME, note="A word."), name, block)
    made = shown(frame_with(name, block, own + "{{ super() }}"), name, block)
    assert "Over here" not in ours
    assert "Over here" in made
    assert "A word." in made


@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_a_fault_in_a_block_names_template_line_and_variable(name: str, block: str) -> None:
    """Also in one that only some mails show."""
    frame = frame_with(name, block, "\n\n{{ nothing.of_that_name }}")
    with pytest.raises(TemplateError, match=rf"template {name}, line 4: 'nothing' is undefined"):
        shown(frame, name, block)


@pytest.mark.parametrize("name", ["digest.html", "digest.txt"])
def test_a_note_of_ones_own_form_stands_where_it_is_asked_for(name: str) -> None:
    """The block serves both places."""
    for position, is_above in (("above", True), ("below", False)):
        frame = frame_with(name, "note", "Says the library: {{ super() }}", position)
        made = shown(frame, name, "note")
        assert made.count("Says the library:") == 1
        place = made.index("Says the library:")
        assert (place < made.lower().index("for you")) == is_above
        assert place < made.lower().index("how today came about")


def test_the_guide_names_every_block() -> None:
    """One that is added to a template is added to the guide, and none is there that is not."""
    told = GUIDE.read_text("utf-8")
    table = told.partition("| block | holds |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {b for _, b in BLOCKS}
