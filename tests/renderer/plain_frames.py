"""Frames whose templates are rendered anew for each mail, to compare the usual way with."""

from __future__ import annotations

from dataclasses import replace

from digest.model import Frame

_UNSEEN = "{% macro unused() %}{% endmacro %}\n"
"""A macro could do anything with what it is given, so that its template gets no marks."""


def rendered_whole(frame: Frame) -> Frame:
    """The frame with templates that give the same mails, each rendered as a whole."""
    templates = {name: _whole(name, source) for name, source in frame.templates}
    return replace(frame, templates=tuple(templates.items()))


def _whole(name: str, source: str) -> str:
    if name == "digest.html":
        return source.replace('<body class="page">\n', f'<body class="page">\n{_UNSEEN}')
    return source if name.endswith(".css") else _UNSEEN + source
