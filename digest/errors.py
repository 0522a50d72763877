"""The errors that a caller reacts to. Each message stands alone: what, where, and what would do."""

from __future__ import annotations


class DigestError(Exception):
    """Base of every error that is shown to a person as one line, without a traceback."""

    exit_code = 1


class ConfigError(DigestError):
    """The configuration or a profile is at fault; `faults` holds one line for each fault."""

    exit_code = 2

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class KeywordError(DigestError):
    """A term cannot be a keyword; `hint` is the nearest form that can, or empty."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}; did you mean {hint!r}?" if hint else message)
        self.hint = hint


class SourceError(DigestError):
    """A source could not be read: `source` names it, `reason` says what was expected."""

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"source {source!r}: {message}")
        self.source = source
        self.reason = message


class StoreError(DigestError):
    """The database cannot be used (locked, full, read-only, newer than this program)."""


class TemplateError(DigestError):
    """A template is at fault; the message names template, line and variable."""
