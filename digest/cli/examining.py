"""The command that looks at all that mail depends on: doctor."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import click

from digest.cli.options import clock, config_option, json_option
from digest.cli.saying import counted, harmless, print_json, say
from digest.config import load_config
from digest.doctor import (
    Finding,
    Level,
    asking,
    check_recipient,
    examine,
    received_findings,
    send_probe,
)

HEADS = {
    "config": "config",
    "smtp": "mail server",
    "dns": "DNS",
    "web": "pages",
    "clock": "clock",
    "machine": "this machine",
    "data": "data",
    "sources": "sources",
    "probe": "probe",
}
"""What stands above the findings of a check; its name begins with the key."""

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red"}


def _server(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[str, int] | None:
    """The address and port of a name server."""
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # an IPv6 address without a port
        host, port = text, "53"
    host = host.removeprefix("[").removesuffix("]")
    try:
        number = int(port)
        return str(ip_address(host)), number if 0 < number < 65_536 else int("")
    except ValueError:
        raise click.BadParameter("an IP address such as 9.9.9.9, or 9.9.9.9:53") from None


@click.command()
@config_option
@json_option
@click.option(
    "--probe",
    "recipient",
    metavar="EMAIL",
    help="Send one mail to this address of yours as well; it must be no subscriber's.",
)
@click.option(
    "--received",
    type=click.File("rb"),
    metavar="FILE",
    help="Look at nothing but a probe that was saved as it arrived (- is standard input).",
)
@click.option(
    "--nameserver",
    callback=_server,
    metavar="ADDRESS",
    help="Ask this name server instead of this machine's.",
)
def doctor(
    config_path: Path,
    recipient: str | None,
    received: BinaryIO | None,
    nameserver: tuple[str, int] | None,
    as_json: bool,
) -> None:
    """Look at all that mail depends on, and say what to do.

    Mail server, DNS, pages, clock, this machine, database, sources. Changes nothing and writes to
    no subscriber, at any hour. Ends with 1 when there is an error.
    """
    if received:
        found = received_findings(received.read())
    else:
        config = load_config(config_path)
        if recipient is not None:
            check_recipient(config, recipient)
        found = asyncio.run(examine(config, clock(), asking(nameserver) if nameserver else None))
        if recipient is not None:
            found.append(asyncio.run(send_probe(config, recipient, clock())))
    _report(found, as_json=as_json)
    if any(one.level is Level.ERROR for one in found):
        sys.exit(1)


def _report(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print the findings for a person or a program."""
    counts = Counter(one.level for one in found)
    if as_json:
        told = [asdict(one) | {"why": one.why} for one in found]
        print_json(
            {"errors": counts[Level.ERROR], "warnings": counts[Level.WARNING], "findings": told}
        )
        return
    for head, findings in groupby(found, lambda one: HEADS[one.check.partition(".")[0]]):
        say(head)
        for one in findings:
            _print(one)
    say()
    bad = counted(counts[Level.ERROR], "error")
    say(f"{bad}, {counted(counts[Level.WARNING], 'warning')}, {counts[Level.OK]:,} good")


def _print(one: Finding) -> None:
    """A line; for what is not well two more, with why it matters and what to do."""
    level = click.style(f"{one.level:<7}", fg=COLOURS[one.level])
    click.echo(f"  {level}  {harmless(one.found)}")
    if one.level is not Level.OK:
        say(f"           why: {one.why}")
        say(f"           do:  {one.do}")
