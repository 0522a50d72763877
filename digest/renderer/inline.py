"""A mail template with its styles written into the elements, once, when it is loaded.

Owns how Jinja survives an HTML parser: each construct becomes a comment between elements, a plain
word in a text, an attribute or a title, and is put back afterwards. Inside a tag a construct can
stand in an attribute's value only; a template that breaks this rule is a `TemplateError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import css_inline
from jinja2 import Environment

from digest.errors import TemplateError

_OPENERS = {"block_begin", "variable_begin", "comment_begin", "raw_begin", "linestatement_begin"}
_CLOSERS = {"block_end", "variable_end", "comment_end", "raw_end", "linestatement_end"}
_WORD = re.compile(r"<!--QJ(\d+)JQ-->|QJ(\d+)JQ")
_STATES = re.compile(r"<!--|-->|<(?:title|style|textarea)\b|</(?:title|style|textarea)|<|>")


def inline_css(environment: Environment, name: str, source: str, css: str) -> str:
    """The template's source with `css` inlined. A whole document keeps its `<style>` blocks.

    Raises: TemplateError.
    """
    constructs: list[str] = []
    masked = "".join(_masked(environment, name, source, constructs))
    if "<html" in masked:
        inliner = css_inline.CSSInliner(
            inline_style_tags=False,
            keep_style_tags=True,
            load_remote_stylesheets=False,
            minify_css=True,
            extra_css=css,
        )
        inlined = inliner.inline(masked)
    else:
        inlined = css_inline.inline_fragment(
            masked, css, load_remote_stylesheets=False, minify_css=True
        )
    _check_order(name, inlined, len(constructs))
    return _WORD.sub(lambda found: constructs[int(found[1] or found[2])], inlined)


def _masked(env: Environment, name: str, source: str, constructs: list[str]) -> Iterator[str]:
    """The source with each construct replaced by a token; the constructs go to the list."""
    state, depth, construct = "text", 0, ""
    for line, kind, value in env.lex(source, name):
        depth += kind in _OPENERS
        if depth:
            construct += value
        else:
            state = _state_after(state, value)
            yield value
        if kind in _CLOSERS:
            depth -= 1
            constructs.append(construct)
            yield _token(state, construct, len(constructs) - 1, f"{name}, line {line}")
            construct = ""


def _token(state: str, construct: str, number: int, place: str) -> str:
    """A comment between elements, a word anywhere else."""
    if state == "tag":
        raise TemplateError(
            f"template {place}: {construct.strip()[:60]} stands inside a tag; "
            "it can stand between elements or in an attribute's value"
        )
    is_output = construct.startswith("{{")
    return f"<!--QJ{number}JQ-->" if state == "text" and not is_output else f"QJ{number}JQ"


def _state_after(state: str, markup: str) -> str:
    """Where a piece of template leaves the parser: text, tag, value, comment or raw."""
    for found in _STATES.finditer(markup):
        mark = found[0]
        if state == "comment":
            state = "text" if mark == "-->" else state
        elif state == "raw":
            state = "tag" if mark.startswith("</") else state
        elif mark == "<!--":
            state = "comment"
        elif mark == ">":
            state = "raw" if state == "opening raw" else "text"
        else:
            state = "opening raw" if len(mark) > 1 and not mark.startswith("</") else "tag"
    if state in {"tag", "value"}:
        last = markup[markup.rfind("<") :] if "<" in markup else markup
        quotes = last.count('"') + (state == "value")
        state = "value" if quotes % 2 else "tag"
    return state


def _check_order(name: str, inlined: str, count: int) -> None:
    """Refuse a template that the HTML parser had to put in another order.

    Attributes may change places within their tag, so that only statements are held to theirs.
    """
    found = [(bool(token[1]), int(token[1] or token[2])) for token in _WORD.finditer(inlined)]
    statements = [number for is_statement, number in found if is_statement]
    if statements != sorted(statements) or sorted(n for _, n in found) != list(range(count)):
        raise TemplateError(
            f"template {name}: its HTML is not well-formed around a Jinja construct; "
            "close every element in the block that opens it and name no attribute twice"
        )
