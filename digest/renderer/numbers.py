"""Numbers as the mail writes them."""

from __future__ import annotations

NBSP = "\u00a0"
"""Keeps a number and its noun on one line."""


def counted(number: int | None, noun: str) -> str:
    """`1 vote`, `118 votes`; nothing where the number is not known."""
    if number is None:
        return ""
    return f"{number:,}{NBSP}{noun}" if number == 1 else f"{number:,}{NBSP}{noun}s"
