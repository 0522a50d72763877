"""The templates of a frame, compiled: CSS inlined, HTML escaped, every name checked when used.

Owns the sandbox. A fault in a template is a `TemplateError` with template, line and variable.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import css_inline
from jinja2 import (
    BaseLoader,
    Environment,
    FunctionLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
)
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.errors import TemplateError
from digest.renderer.inline import inline_css
from digest.renderer.marks import Mark, finalize, only_prints
from digest.renderer.wrapping import WIDTH, wrapped

_PROSE = ("p", "ul", "ol", "li", "code", "a")
_OPENING = re.compile(r"<(\w+)[^>]*>")
_BARE = re.compile(r"<(p|ul|ol|li|code|a)(?=[ >])")


class Theme:
    """Compiled templates; `filled_in` names those that only print what is personal."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._sources = dict(templates)
        self._css = self._source("style.css")
        self._plain = _html_environment(FunctionLoader(self._find))
        self._html = _html_environment(FunctionLoader(self._find_inlined))
        self._text = _text_environment(FunctionLoader(self._find))
        self._prose = {tag: _styled_tag(f"<{tag}>", "prose", self._css) for tag in _PROSE}
        hit = '<b class="hit">'  # the opening tags of a highlighted term; `</b>` closes it
        self.title_hit = _styled_tag(hit, "title", self._css)
        self.prose_hit = _styled_tag(hit, "prose", self._css)
        self._compiled: dict[str, Template] = {}
        for name in ("digest.html", "item.html", "digest.txt", "item.txt", "subject.txt"):
            self._compile(name)
        self.filled_in = {name for name in self._compiled if self._only_prints(name)}

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """The template's text. Raises: TemplateError."""
        try:
            return self._compiled[name].render(values)
        except Exception as error:
            raise self._fault(name, error, values) from error

    def marked(self, name: str, values: Mapping[str, Any]) -> str | None:
        """The template's text where some values are marks, or None where it has to see them."""
        if name not in self.filled_in:
            return None
        try:
            return self._compiled[name].render(values)
        except Exception:  # whatever else it does with a mark raises; a fault is told by `render`
            return None

    def styled(self, safe_html: str) -> str:
        """Prose of ours with the theme's styles in its tags."""
        return _BARE.sub(lambda tag: self._prose[tag[1]][:-1], safe_html)

    def _source(self, name: str) -> str:
        if name not in self._sources:
            raise TemplateError(f"template {name}: there is none of that name")
        return self._sources[name]

    def _find(self, name: str) -> tuple[str, str, Any]:
        """What a Jinja loader wants: source, file name, and whether it is still the same."""
        if name not in self._sources:
            raise TemplateNotFound(name)
        return self._sources[name], name, lambda: True

    def _find_inlined(self, name: str) -> tuple[str, str, Any]:
        source, file_name, fresh = self._find(name)
        if name.endswith(".html"):
            self._plain.parse(source, name, name)  # a syntax error is told with its own line
            source = inline_css(self._plain, name, source, self._css)
        return source, file_name, fresh

    def _compile(self, name: str) -> None:
        self._source(name)
        environment = self._html if name.endswith(".html") else self._text
        try:
            self._compiled[name] = environment.get_template(name)
        except TemplateSyntaxError as error:
            raise TemplateError(
                f"template {error.name or name}, line {error.lineno}: {error.message}"
            ) from error
        except TemplateNotFound as error:
            raise TemplateError(f"template {name}: it names {error.name}, which is none") from error

    def _only_prints(self, name: str) -> bool:
        """Whether the template and all that it extends or includes may be given marks."""
        reached, unread = {name}, [name]
        while unread:
            tree = self._plain.parse(self._sources[unread.pop()])
            named = {one or "" for one in meta.find_referenced_templates(tree)} - reached
            if not only_prints(tree) or not named <= set(self._sources):
                return False
            reached |= named
            unread += named
        return True

    def _fault(self, name: str, error: Exception, values: Mapping[str, Any]) -> TemplateError:
        """What went wrong and where; inlining moves lines, so the source as written is asked."""
        if name.endswith(".html"):
            try:
                self._plain.get_template(name).render(values)
            except Exception as again:
                error = again
        frames = traceback.extract_tb(error.__traceback__)
        place = [frame for frame in frames if frame.filename in self._sources]
        where = f"{place[-1].filename}, line {place[-1].lineno}" if place else name
        if isinstance(error, TemplateSyntaxError):
            where = f"{error.name or name}, line {error.lineno}"
        return TemplateError(f"template {where}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    kind = "" if isinstance(error, JinjaError) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())[:200]


@lru_cache(maxsize=8)
def compiled(templates: tuple[tuple[str, str], ...]) -> Theme:
    """The theme of these templates, compiled once. Raises: TemplateError."""
    return Theme(dict(templates))


def _styled_tag(opening: str, around: str, css: str) -> str:
    """An opening tag with the style that it gets inside an element of class `around`."""
    made = css_inline.inline_fragment(
        f'<div class="{around}">{opening}</div>',
        css,
        load_remote_stylesheets=False,
        minify_css=True,
    )
    return [found[0] for found in _OPENING.finditer(made)][1]


def _html_environment(loader: BaseLoader) -> Environment:
    return _environment(loader, autoescape=True)


def _text_environment(loader: BaseLoader) -> Environment:
    return _environment(loader, autoescape=False)


class _Unknown(StrictUndefined):
    """A name that there is not; says what it was asked of, and the nearest there is."""

    @property
    def _undefined_message(self) -> str:
        names = getattr(type(self._undefined_obj), "__dataclass_fields__", None)
        if names is None or not isinstance(self._undefined_name, str):
            return super()._undefined_message
        near = get_close_matches(self._undefined_name, names, 1)
        meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        return f"there is no {self._undefined_name!r}; {meant}"


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which asks less about our own views: they hold nothing but values."""

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if type(obj).__module__.startswith("digest."):
            return not attr.startswith("_") and not callable(value)
        return super().is_safe_attribute(obj, attr, value)


def _environment(loader: BaseLoader, *, autoescape: bool) -> Environment:
    environment = _Sandbox(
        loader=loader,
        autoescape=autoescape,
        undefined=_Unknown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=finalize,
    )
    environment.filters["wrapped"] = _wrapped
    return environment


def _wrapped(
    text: str | Mark, first: str = "", rest: str | None = None, width: int = WIDTH
) -> str | Mark:
    """The filter of that name; a mark remembers how it is to be wrapped."""
    if isinstance(text, Mark):
        return text.wrapped(first, rest, width)
    return wrapped(text, first, rest, width)
