"""The commands for what comes back: bounce, suppressed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from digest.addresses import check_address
from digest.bounces.reading import MAX_BYTES
from digest.cli.options import clock, config_option, json_option, opened
from digest.cli.saying import complain, minute, print_json, print_table, say
from digest.errors import SUPPRESSED_FOR, DigestError
from digest.returns import Verdict, take_back
from digest.store.returned import Effect, Reason, Suppression

TRY_LATER = 75
"""What tells a mail server to keep the mail and come again. Source: sysexits.h, EX_TEMPFAIL."""

FOLLOWS = {
    Effect.SUPPRESSED: "is suppressed",
    Effect.UNSUBSCRIBED: "is unsubscribed",
    Effect.COUNTED: "has a point more; five suppress",
    Effect.FLOOD: "has a point more; so many at this receiver at once are taken for its trouble",
    Effect.REPEATED: "was told before; nothing changed",
}


class Piped(click.Command):
    """A command for a mail server's pipe, whose line somebody may have written wrongly.

    Click's own code for that, 2, would have the mail dropped.
    """

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """The command's line, read; ends the program where it is wrong."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            error.show()
            sys.exit(TRY_LATER)


@click.command(cls=Piped)
@config_option
@click.option(
    "--recipient",
    default="",
    help="The address that the mail was sent to, where the mail server tells it.",
)
def bounce(config_path: Path, recipient: str) -> None:
    """Read a bounce or a complaint from standard input and act on it.

    For a mail server's pipe: ends with 0 when it was recorded or asks for nothing, with 75 when it
    has to be tried again.
    """
    try:
        raw = _standard_input()
        with opened(config_path) as app:
            verdict = take_back(app, raw, clock(), recipient)
    except Exception as error:  # whatever it is: with any other end the mail server drops the mail
        complain(*(str(error) or repr(error)).splitlines())
        sys.exit(TRY_LATER)
    say(_told(verdict))


@click.group()
def suppressed() -> None:
    """List, add and remove addresses that get no mail."""


@suppressed.command("list")
@config_option
@json_option
def list_(config_path: Path, as_json: bool) -> None:
    """List the suppressed addresses, the newest first.

    They are kept as keyed hashes; an address shows where its subscriber is still there.
    """
    with opened(config_path) as app:
        found = app.store.suppressions()
    if as_json:
        print_json([_described(one) for one in found])
        return
    if not found:
        say("no address is suppressed", err=True)
        return
    print_table(
        ("address", "since", "why", "note"),
        [
            (
                one.email or f"(hash {one.address[:12]})",
                minute(one.since),
                SUPPRESSED_FOR[one.reason],
                one.note,
            )
            for one in found
        ],
    )


@suppressed.command()
@config_option
@click.option("--note", default="", help="Why, for the list; mail addresses in it are left out.")
@click.argument("email")
def add(config_path: Path, email: str, note: str) -> None:
    """Send nothing to EMAIL any more, subscribed or not."""
    address = check_address(email)
    with opened(config_path) as app:
        one = app.store.suppress(address, Reason.BLOCKED, note, clock())
    say(f"{address} is suppressed: {SUPPRESSED_FOR[one.reason]}")


@suppressed.command()
@config_option
@click.argument("email")
def remove(config_path: Path, email: str) -> None:
    """Let EMAIL get mail again.

    After a complaint the person may sign up again; nobody else can add them.
    """
    address = check_address(email)
    with opened(config_path) as app:
        before = app.store.suppression(address)
        if before is None:
            raise DigestError(f"{address} is not suppressed")
        left = app.store.lift(address, clock())
        known = app.store.subscriber(address)
    if left and before.reason is Reason.LEFT:
        raise DigestError(f"{address} has left: only their own confirmed sign-up brings them back")
    if left:
        say(f"{address} may sign up again; it stays unsubscribed until they confirm that")
    elif known is None:
        say(f"{address} is no longer suppressed; it is no subscriber")
    else:
        say(f"{address} is no longer suppressed; it is {known.state}")


def why(one: Suppression) -> str:
    """Since when and why an address is suppressed, and what lifts it, in one line."""
    lift = (
        f"`digest suppressed remove {one.email}` lifts it"
        if one.reason.is_the_operators
        else "only their own confirmed sign-up brings them back"
    )
    note = f" ({one.note})" if one.note else ""
    return f"suppressed since {minute(one.since)}: {SUPPRESSED_FOR[one.reason]}{note}; {lift}"


def _standard_input() -> bytes:
    """The mail; read to its end, as a mail server does not like its pipe to be closed early."""
    stream = sys.stdin.buffer
    raw = stream.read(MAX_BYTES)
    while stream.read(MAX_BYTES):
        pass
    return raw


def _told(verdict: Verdict) -> str:
    """What became of a mail, in one line."""
    if verdict.mail is None or verdict.effect is None:
        return f"{verdict.words}; nothing follows"
    what = f"{verdict.words} ({verdict.what})"
    return f"{what}: {verdict.mail.recipient} {FOLLOWS[verdict.effect]}"


def _described(one: Suppression) -> dict[str, object]:
    return {
        "address": one.email or None,
        "hash": one.address,
        "reason": one.reason,
        "note": one.note,
        "since": one.since,
    }
