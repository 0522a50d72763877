"""The whole service run once on this machine: embedded listings, embedded mail server, real mails.

Needs no network and no settings. The mails go over real SMTP on loopback into `.eml` files, and a
page shows them side by side. A config beside them lets the other commands look at what was stored.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from importlib.resources import files
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session
from jinja2 import Environment, StrictUndefined

from digest import jobs
from digest.app import App, open_app
from digest.config import Config, load_config, parse_config
from digest.errors import DigestError
from digest.model import Delivery, DeliveryState, Match, Reason, SourceRun
from digest.schedule import zone
from digest.store.inspecting import is_there, name_of
from digest.tex import readable

DATA = Path(str(files("digest.demo_data")))
_LOOK_AROUND = """\
# What `digest demo` ran with, to look around in its database by the other commands. Its sources are
# left out, so nothing new comes; change the profiles as you like.
"""
SEND_HOUR_UTC = 14
"""By then the local send time of every demo reader has passed."""


@dataclass(slots=True)
class Told:
    """What the demo tells: a row a reader (address, mail, top item, because), lines, faults."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


async def run_demo(  # noqa: PLR0913 - the last three are for who asks
    output: Path,
    pages: Path | None,
    at: datetime,
    *,
    fresh: bool,
    data: str = "",
    step: Callable[[str], None] = lambda line: None,
) -> Told:
    """Ingest, prepare and deliver once into `output`; a second run finds nothing left to do.

    `at` is the time that it is; `data` the address of a PostgreSQL, where it is not to be a file in
    `output`; `step` is told what begins. Raises: DigestError when the folder or the database holds
    something else, or no page could be read.
    """
    if data:
        _check_new(output, data)
    else:
        _make_folder(output, fresh=fresh)
    config, sources = demo_config(output, pages, data), _sources_folder(pages)
    _write_config(output, "pages.toml" if pages else "config.toml", data or "demo.db")
    now = working_day(at)
    async with mail_server(output) as port:
        smtp = config.smtp.model_copy(update={"host": "127.0.0.1", "port": port, "tls": "none"})
        with open_app(config.model_copy(update={"smtp": smtp}), now) as app:
            app.folder = sources  # which lie elsewhere than the files of the database
            step("reading listings …")
            runs = await jobs.ingest(app, now, config.sources)
            if not any(run.read for run in runs):
                raise DigestError("\n".join(run.error for run in runs))
            step("choosing for each reader, and why …")
            jobs.prepare(app, now)
            step("sending over SMTP …")
            sent = await jobs.deliver(app, lambda: now)
            return _tell(app, output, runs, sent[DeliveryState.SENT], now)


def demo_config(output: Path, pages: Path | None, data: str = "") -> Config:
    """The demo's config with `data`, or its data in `output`; `pages` replace its own listings."""
    name = "pages.toml" if pages else "config.toml"
    config = parse_config((DATA / name).read_text("utf-8"), name, _sources_folder(pages))
    service = config.service.model_copy(
        update={
            "data": data or str(output.resolve() / "demo.db"),
            "secret_file": output.resolve() / "secret.key",
        }
    )
    return config.model_copy(update={"service": service, "folder": output.resolve()})


def _sources_folder(pages: Path | None) -> Path:
    return pages.resolve() if pages else DATA


def _write_config(output: Path, config: str, data: str) -> None:
    """Lay the demo's config beside its database, to look around with; one that is there stays.

    Without the sources: those are files of the program, and a config reads none outside its folder.
    """
    text = (DATA / config).read_text("utf-8").partition("\n\n")[2]  # the first words are the demo's
    text = re.sub(r"(?m)^\[\[sources\]\]\n(?:.+\n)+\n", "", text)
    text = text.replace("[service]\n", f"[service]\ndata = {json.dumps(data)}\n", 1)
    path = output / "config.toml"
    if not path.exists():
        path.touch(mode=0o600)  # an address may hold a password
        path.write_text(f"{_LOOK_AROUND}\n{text}", "utf-8")


def working_day(now: datetime) -> datetime:
    """The latest day from Monday to Friday, at an hour when every demo reader is due."""
    day = now.date()
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return datetime(day.year, day.month, day.day, SEND_HOUR_UTC, tzinfo=UTC)


@asynccontextmanager
async def mail_server(output: Path) -> AsyncIterator[int]:
    """A mail server on a free port of loopback that writes what it takes as `.eml` files."""

    class Keep:
        async def handle_DATA(  # noqa: N802 - aiosmtpd names its hooks so
            self, server: SMTP, session: Session, envelope: Envelope
        ) -> str:
            path = output / f"{envelope.rcpt_tos[0]}.eml"
            path.write_bytes(cast("bytes", envelope.original_content))
            return f"250 OK written to {path.name}"

    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Keep(), hostname="localhost", loop=loop), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


OURS = (
    "demo.db",
    "demo.db-wal",
    "demo.db-shm",
    "demo.db.sent",
    "demo.db.suppressed",
    "index.html",
    "config.toml",
    "secret.key",
    "*.eml",
)
"""What the demo puts into its folder; nothing else is ever deleted there."""


def _check_new(output: Path, data: str) -> None:
    """Make the folder of a demo on a PostgreSQL that is empty, or of an earlier run in it."""
    if output.exists() and any(output.iterdir()):
        config = output / "config.toml"
        if not config.exists() or load_config(config).service.data != data:
            raise DigestError(
                f"{output} holds other files than those of this database's demo;"
                " name an empty folder with --output"
            )
    elif is_there(data):
        raise DigestError(f"{name_of(data)} holds a store already; name a new, empty database")
    output.mkdir(parents=True, exist_ok=True)


def _make_folder(output: Path, *, fresh: bool) -> None:
    if output.exists() and any(output.iterdir()) and not (output / "demo.db").exists():
        raise DigestError(f"{output} holds other files; name an empty folder with --output")
    output.mkdir(parents=True, exist_ok=True)
    for path in (path for name in OURS for path in output.glob(name)):
        if fresh:
            path.unlink()


def _tell(app: App, output: Path, runs: Sequence[SourceRun], sent: int, now: datetime) -> Told:
    people = app.store.subscribers()
    days = [(one.id, now.astimezone(zone(one.timezone)).date()) for one in people]
    deliveries = [found for day in days if (found := app.store.delivery(*day))]
    mails = [path for one in people if (path := output / f"{one.email}.eml").exists()]
    page = output / "index.html"
    page.write_text(_gallery(app, mails), "utf-8")
    new, joined = sum(run.new for run in runs), sum(run.joined for run in runs)
    lines = [
        f"{sum(run.read for run in runs)} listings read: {new} new,"
        f" {joined} known already or announced twice.",
        f"{sent} mails sent, {len(mails)} in {output}/",
    ]
    if not sent:
        lines.append("Everyone has had these papers already, so nothing was sent twice.")
        over = "digest demo --fresh" if (output / "demo.db").exists() else "a new database"
        lines.append(f"Start over with: {over}")
    lines += [
        f"See them side by side: {page.resolve().as_uri()}",
        f"Look around with the other commands from there: cd {output}",
        "Your own: digest init, then edit config.toml; README.md shows the way.",
    ]
    faults = [run.error for run in runs if run.error]
    return Told([_row(delivery) for delivery in deliveries], lines, faults)


def _row(delivery: Delivery) -> tuple[str, str, str, str]:
    """One reader's line: what was sent, or why nothing was."""
    digest = delivery.digest
    address = digest.subscriber.email
    matches = [match for section in digest.sections for match in section.matches]
    if not matches:
        return address, "no mail" if not digest.mailed else "note", "–", digest.empty_reason
    return (
        address,
        f"{len(matches)} items",
        readable(matches[0].listing.title),
        _because(matches[0]),
    )


def _because(match: Match) -> str:
    def words(reason: Reason) -> str:
        term = reason.term.removeprefix(f"{reason.field}:")
        return f"{term} in the {reason.field} ({reason.points:+.2f})"

    return f"{match.score:.2f} = " + ", ".join(words(reason) for reason in match.reasons[:2])


def _gallery(app: App, mails: Sequence[Path]) -> str:
    """One page with every mail in a frame of its own, as a mail program would show it."""
    shown = []
    for path in mails:
        message = message_from_bytes(path.read_bytes(), policy=SMTP_POLICY)
        body = message.get_body(("html",))
        html = body.get_content() if body else ""
        shown.append({"to": message["To"], "subject": message["Subject"], "html": html})
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((DATA / "gallery.html").read_text("utf-8"))
    return template.render(name=app.frame.service_name, mails=shown)
