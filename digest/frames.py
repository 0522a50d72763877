"""The frame: what all mails of one config share, its note and its templates read from their files.

Owns what happens when a template of the operator is broken: the packaged one takes its place.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

from digest.config import Config
from digest.errors import ConfigError, TemplateError
from digest.model import Frame
from digest.renderer import check_templates
from digest.templates import NAMES, PACKAGED, load_templates, packaged_templates

logger = logging.getLogger("digest")


def make_frame(config: Config) -> Frame:
    """What all mails of this config share, its note and templates read from their files.

    Raises: ConfigError when the note cannot be read, TemplateError when a template cannot.
    """
    return _frame(config, load_templates(config.mail.templates))


def usable_frame(config: Config) -> Frame:
    """The same, with the packaged templates where those of the operator are broken.

    A slip in a template must not leave everyone without mail; a warning names it.
    Raises: ConfigError when the note cannot be read.
    """
    if config.mail.templates:
        try:
            frame = make_frame(config)
            check_templates(frame)
        except TemplateError as error:
            warn_of_template(config.mail.templates, error)
        else:
            return frame
    return _frame(config, packaged_templates())


def warn_of_template(place: Path | str, error: TemplateError) -> None:
    """Log that a template of the operator is passed over."""
    details = {"templates": str(place), "reason": str(error), "instead": "the packaged templates"}
    logger.warning("templates.broken %s", json.dumps(details))


def has_own_templates(frame: Frame) -> bool:
    """Whether the operator's templates stand in place of ours."""
    return any(name.startswith(PACKAGED) for name, _ in frame.templates)


def with_packaged_templates(frame: Frame) -> Frame:
    """The frame with the packaged templates that it kept, where the operator's replace them."""
    kept = dict(frame.templates)
    originals = {name: kept.get(PACKAGED + name, source) for name, source in kept.items()}
    return replace(frame, templates=tuple((n, s) for n, s in originals.items() if n in NAMES))


def _frame(config: Config, templates: tuple[tuple[str, str], ...]) -> Frame:
    mail = config.mail
    note = ""
    if mail.note_file:
        try:
            note = mail.note_file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                [f"{config.place}: [mail] note_file: {mail.note_file} cannot be read ({error})"]
            ) from error
    return Frame(
        service_name=config.service.name,
        sender=mail.sender,
        base_url=config.service.base_url,
        list_id=mail.list_id or f"digest.{mail.sender[1].rpartition('@')[2]}",
        reply_to=mail.reply_to or "",
        postal_address=mail.postal_address,
        note=note,
        note_position=mail.note_position,
        templates=templates,
    )
