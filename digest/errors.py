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


class SuppressedError(DigestError):
    """Nobody may be subscribed at this address as things stand; the message says who may lift it.

    `reason` is a word of the suppression list: failing, bounced, blocked, left or complained.
    """

    def __init__(self, email: str, reason: str, note: str = "") -> None:
        theirs = reason in {"left", "complained"}
        lift = (
            "only their own confirmed sign-up brings them back"
            if theirs
            else f"`digest suppressed remove {email}` lifts it"
        )
        said = f" ({note})" if note else ""
        super().__init__(f"{email} is suppressed: {SUPPRESSED_FOR[reason]}{said}; {lift}")
        self.reason = reason


SUPPRESSED_FOR = {
    "failing": "mail did not arrive on five days",
    "bounced": "the address does not exist",
    "blocked": "you have blocked it",
    "left": "they have left",
    "complained": "they have complained",
}
"""What each word of the suppression list means to an operator."""


class TemplateError(DigestError):
    """A template is at fault; the message names template, line and variable."""
