"""The commands of the daily run: ingest, send, serve, worker."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

import click

from digest import jobs
from digest.app import App
from digest.cli.logs import log_events
from digest.cli.options import (
    calendar_day,
    clock,
    config_option,
    json_option,
    opened,
    service_clock,
)
from digest.cli.progress import Done, progress
from digest.cli.receipts import print_runs, run_reports
from digest.cli.saying import complain, counted, minute, print_json, say
from digest.clock import Clock
from digest.config import load_config
from digest.errors import DigestError
from digest.mailer import EmlFolder, SmtpMailer
from digest.model import Deferred, DeliveryState, Outcome, Refused, Source, SourceRun
from digest.sending import Told
from digest.serving import check_shared, stop_signal, work
from digest.serving import serve as serve_app
from digest.sources import kind_of
from digest.store import Lease

SHOWN_FAULTS = 20
"""Refusals that `send` spells out; the rest are counted."""

ERRNO = re.compile(r"^.*\[Errno (\d+)\].*$")
"""How the system's own words for a failed connection are wrapped by the libraries above it."""


# --- ingest -----------------------------------------------------------------------------------


@click.command()
@config_option
@json_option
@click.option("--source", "names", multiple=True, help="Only this source; may be repeated.")
@click.option(
    "--since",
    type=calendar_day,
    metavar="DATE",
    help="Ask for what was announced since that day; it is stored and not mailed.",
)
@click.option("--dry-run", is_flag=True, help="Read and report; store nothing.")
def ingest(
    config_path: Path,
    names: tuple[str, ...],
    since: date | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Read the sources now and store what is new.

    Ends with 1 when a source failed, with 0 when there was merely nothing new.
    """
    if since:
        _check_past(since)
    with opened(config_path) as app:
        sources, now = _named(app, names), service_clock(app)
        if since:
            runs = _look_back(app, sources, since, now(), dry=dry_run)
        else:
            with progress("reading sources", len(sources)) as done:
                runs = asyncio.run(jobs.ingest(app, now(), sources, dry=dry_run, done=done))
        reports = run_reports(app, runs, now())
    if as_json:
        print_json(reports)
    else:
        print_runs(reports)
    complain(*(run.error for run in runs if run.error))
    if dry_run:
        say("nothing was stored", err=True)
    elif since:
        new = counted(sum(run.new for run in runs), "listing")
        say(f"{new} of the past stored; none of it is mailed", err=True)
    if any(run.error for run in runs):
        sys.exit(1)


def _look_back(
    app: App, sources: Sequence[Source], since: date, now: datetime, *, dry: bool
) -> list[SourceRun]:
    """Ask these sources for their past; names those that have none to ask for.

    Raises: DigestError when no source is left.
    """
    able = [source for source in sources if kind_of(source).reaches_back(source)]
    for source in sources:
        if source not in able:
            say(f"{source.name}: {_why_no_past(source)}; --since leaves it out", err=True)
    if not able:
        raise DigestError("none of these sources can be asked for its past")
    stretches = sum(len(kind_of(source).backfill(source, since, now)) for source in able)
    with progress("asking for the past", stretches) as done:
        return asyncio.run(jobs.backfill(app, now, able, since, dry=dry, done=done))


def _why_no_past(source: Source) -> str:
    """Why a source cannot be asked for what it announced before."""
    if source.path:
        return "its files are read whole each time"
    if source.url:
        return "an address of your own shows only what stands there now"
    return f"a source of kind {source.kind!r} shows only its newest list"


def _check_past(since: date) -> None:
    """Nothing for a day that has come. Raises: BadParameter."""
    if since > (today := clock().date()):
        raise click.BadParameter(
            f"{since} has not come yet; today is {today} (UTC)", param_hint="'--since'"
        )


def _named(app: App, names: Sequence[str]) -> list[Source]:
    """The sources of these names, or all. Raises: BadParameter with the nearest name."""
    known = {source.name: source for source in app.config.sources}
    if not known:
        raise DigestError(f"{app.config.place}: names no source; add a [[sources]] table")
    for name in names:
        if name not in known:
            folded = {one.casefold(): one for one in known}
            near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
            nearest = f"did you mean {folded[near[0]]!r}?" if near else ""
            hint = nearest or f"there are {', '.join(map(repr, known))}"
            raise click.BadParameter(
                f"no source is named {name!r}; {hint}", param_hint="'--source'"
            )
    return [source for name, source in known.items() if not names or name in names]


# --- send -------------------------------------------------------------------------------------


@click.command()
@config_option
@click.option(
    "--now",
    "at_once",
    is_flag=True,
    help="Everyone without a digest today, whatever their hour and days.",
)
@click.option("--dry-run", is_flag=True, help="Write .eml files; send and record nothing.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mails"),
    show_default=True,
    help="Folder for the .eml files of --dry-run.",
)
def send(config_path: Path, at_once: bool, dry_run: bool, output: Path) -> None:
    """Prepare the digests that are due and send what waits."""
    with opened(config_path) as app:
        now = service_clock(app)
        if dry_run:
            _write_mails(app, now(), at_once, output)
            return
        with progress("preparing digests") as done:
            prepared = jobs.prepare(app, now(), at_once=at_once, done=done)
        _say_prepared(prepared, at_once)
        failed = _send_what_waits(app, now)
    if failed:
        sys.exit(1)


def _say_prepared(prepared: Counter[DeliveryState], at_once: bool) -> None:
    queued, empty = prepared[DeliveryState.QUEUED], prepared[DeliveryState.EMPTY]
    if prepared:
        say(f"prepared {counted(queued, 'mail')}; {counted(empty, 'subscriber')} without a match")
    elif at_once:
        say("everyone's digest of today has been prepared already")
    else:
        say("nobody is due now; `digest send --now` waits for nobody's hour")


def _send_what_waits(app: App, now: Clock) -> bool:
    """Send, say what came of it; true when a mail was refused or has to wait."""
    waiting = _waiting(app, now())
    with progress("sending", waiting) as done:
        account = _Account(done)
        asyncio.run(_deliver(app, now, account.take))
    sent = account.states.count(DeliveryState.SENT)
    if account.states:
        say(f"sent {counted(sent, 'mail')}")
    complain(*account.faults(f"{app.config.smtp.host}:{app.config.smtp.port}"))
    if waiting and not account.states and isinstance(app.mailer, SmtpMailer):
        complain(*(f"{host} takes no mail and rests: {said}" for host, said in app.mailer.resting))
    if held := app.store.deliveries_by_state(now() - timedelta(hours=24)).get(DeliveryState.HELD):
        say(f"{counted(held, 'mail is', 'mails are')} held: `digest held list` says why", err=True)
    if again := app.store.next_attempt_at():
        left = counted(_waiting(app, now()), "mail waits", "mails wait")
        when = f" from {minute(again)} on" if again > now() else ""
        say(f"{left}; `digest send` and `digest serve` try again{when}", err=True)
    return bool(again or account.refused)


def _waiting(app: App, now: datetime) -> int:
    """How many mails of the last day are still to be sent."""
    states = app.store.deliveries_by_state(now - timedelta(hours=24))
    still = (DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.UNKNOWN)
    return sum(states.get(state, 0) for state in still)


async def _deliver(app: App, now: Clock, told: Told) -> None:
    """Send what waits; a stop from outside lets the mails in flight finish."""
    stop = stop_signal()
    await jobs.deliver(app, now, stopping=stop.is_set, told=told)


class _Account:
    """What a run of sending came to, for the person in front of it."""

    def __init__(self, done: Done) -> None:
        self._done = done
        self.states: list[DeliveryState] = []
        self.refused: list[str] = []
        self.deferred: list[str] = []
        self.trouble = ""

    def take(self, lease: Lease, outcome: Outcome, state: DeliveryState) -> None:
        """Note one try."""
        self._done(1)
        self.states.append(state)
        address = lease.recipient
        if isinstance(outcome, Deferred) and outcome.relay:
            self.trouble = outcome.reply
        elif isinstance(outcome, Refused):
            self.refused.append(f"{address}: refused for good: {outcome.reply}")
        elif state is not DeliveryState.SENT:
            self.deferred.append(f"{address}: {state}: {outcome.reply}")

    def faults(self, relay: str) -> list[str]:
        """A line for each mail that did not go out, and one for the mail server's own trouble."""
        faults = [*self.refused, *self.deferred]
        more = len(faults) - SHOWN_FAULTS
        faults = faults[:SHOWN_FAULTS] + ([f"and {more:,} more like these"] if more > 0 else [])
        if self.trouble:
            trouble = ERRNO.sub(lambda found: os.strerror(int(found[1])), self.trouble)
            faults.append(f"the mail server {relay} takes no mail: {trouble}")
        return faults


def _write_mails(app: App, now: datetime, at_once: bool, output: Path) -> None:
    """Write what is due as files, and name them."""
    folder = EmlFolder(output)
    with progress("writing mails") as done:
        digests = asyncio.run(jobs.rehearse(app, now, folder, at_once=at_once, done=done))
    for path in folder.written:
        say(path)
    empty = sum(not digest.mailed for digest in digests)
    say(
        f"wrote {counted(len(folder.written), 'mail')}; {counted(empty, 'subscriber')} without a"
        " match; nothing was sent or recorded",
        err=True,
    )
    if not digests and not at_once:
        say("nobody is due now; with --now nobody's hour is waited for", err=True)


# --- serve ------------------------------------------------------------------------------------


@click.command()
@config_option
def serve(config_path: Path) -> None:
    """Run the service: read sources, prepare and send, day after day.

    Events go to standard error. SIGTERM or Ctrl-C ends it after the mails in flight.
    """
    with opened(config_path) as app:
        log_events()
        asyncio.run(serve_app(app, service_clock(app)))


@click.command()
@config_option
def worker(config_path: Path) -> None:
    """Work for a service on PostgreSQL, beside others, without web pages.

    Does what `digest serve` does but for the web pages. Its config says how to reach sources and
    mail servers; who is subscribed, the database says. Events go to standard error. SIGTERM or
    Ctrl-C ends it after the mails in flight.
    """
    check_shared(load_config(config_path))
    with opened(config_path, is_guest=True) as app:
        log_events()
        asyncio.run(work(app, service_clock(app)))
