"""The story of overseeing: how the service did, what is wrong with it, and who is told of it.

Says nothing that the store does not hold, but for the relays' rest, which this process alone knows
and writes down for the others. A note is queued in the transaction that remembers it, so that
neither a restart nor a second process sends it twice; then it goes the way of all letters.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from digest.app import App
from digest.letters import Words
from digest.mailer import SmtpMailer, known_provider
from digest.model import DeliveryState, SourceRun
from digest.notes import NOTE, WORDS, Account, alert, daily
from digest.schedule import send_instant, zone
from digest.standing import overdue, state_of, stood, summed, told
from digest.store import Letter
from digest.store.returned import What
from digest.store.signups import letter_id

logger = logging.getLogger("digest")

EVER = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def oversee(app: App, now: datetime) -> int:
    """Write down what is wrong, and let the operator be told what they were not; how many notes."""
    resting: list[tuple[str, str]] = []
    if isinstance(app.mailer, SmtpMailer):
        app.mailer.hear()  # whichever process is asked, all say the same
        resting = app.mailer.resting
    says = [f"{host} takes no mail and rests: {reply}" for host, reply in resting]
    app.store.note_state("relays", says, now)
    if not app.config.operator.email:
        return 0
    url = _admin_url(app)
    alerts = [
        _tell(app, topic, alert(app.config.service.name, said, url), now - DAY, now)
        for topic, said in troubles(app, now).items()
    ]
    return sum(alerts) + _daily(app, now, url)


def troubles(app: App, now: datetime) -> dict[str, str]:
    """What needs somebody now: a sentence by topic, `source:NAME` or `relay:HOST`."""
    named = {source.name for source in app.config.sources}
    latest = [run for name, run in app.store.latest_runs().items() if name in named]
    found = {f"source:{run.source}": _sentence(app, run, now) for run in overdue(latest, now)}
    if isinstance(app.mailer, SmtpMailer):
        found |= {
            f"relay:{host}": f"The mail server {host} takes no mail: {reply}"
            for host, reply in app.mailer.resting
        }
    return found


def account(app: App, since: datetime, until: datetime) -> Account:
    """How the service did in that time, and how it stands at its end."""
    store = app.store
    back = store.returned(since, until)
    settings = store.noted_states().get("settings")
    found = troubles(app, until)
    return Account(
        since=since,
        until=until,
        closed=store.closed_by_state(since, until),
        deferred=store.deliveries_by_state(EVER).get(DeliveryState.DEFERRED, 0),
        bounced=back.get(What.HARD, 0) + back.get(What.SOFT, 0),
        complaints=_complaints(back),
        oldest_waiting_at=store.oldest_waiting_at(),
        receivers=receivers(app, since, until),
        sources=_sources(app, since, until, found),
        subscribers=store.subscribers_by_state(),
        troubles=[*found.values(), *(settings.says if settings else ())],
    )


def receivers(app: App, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """(who keeps the mailboxes, messages they took in that time), the most first."""
    names = {domain: one.name for one in app.config.providers for domain in one.domains}
    counts: Counter[str] = Counter()
    for domain, count in app.store.sent_by_domain(since, until).items():
        counts[names.get(domain) or known_provider(domain)] += count
    return counts.most_common()


def by_day(app: App, now: datetime) -> Mapping[str, list[tuple[str, int]]]:
    """What receivers took `today` and `yesterday`, by the midnights of the service's zone."""
    return {day: receivers(app, *span) for day, span in _days(app, now).items()}


def complaint_shares(app: App, now: datetime) -> Mapping[str, float]:
    """Complaints for each message of `today` and `yesterday`; at most 0.001 is wanted (A9)."""
    store = app.store
    return {
        day: _complaints(store.returned(*span)) / max(1, sum(store.sent_by_domain(*span).values()))
        for day, span in _days(app, now).items()
    }


def _days(app: App, now: datetime) -> Mapping[str, tuple[datetime, datetime]]:
    here = zone(app.config.service.timezone)
    today = now.astimezone(here).date()
    last = [datetime.combine(today - n * DAY, datetime.min.time(), here) for n in (0, 1)]
    return {"today": (last[0], now + DAY), "yesterday": (last[1], last[0])}


def _complaints(back: Mapping[What, int]) -> int:
    return back.get(What.COMPLAINT, 0) + back.get(What.OPT_OUT, 0)


def _daily(app: App, now: datetime, url: str) -> bool:
    """Queue the note on the day, if its time has come and it was not."""
    service, operator = app.config.service, app.config.operator
    today = now.astimezone(zone(service.timezone)).date()
    due = send_instant(today, operator.note_at, service.timezone)
    if not operator.daily or now < due:
        return False
    since = send_instant(today - DAY, operator.note_at, service.timezone)
    made = daily(service.name, account(app, since, due), service.timezone, operator.note_at, url)
    return _tell(app, "daily", made, due, now)


def _tell(app: App, topic: str, words: Words, since: datetime, now: datetime) -> bool:
    """Queue a note on a topic that was not told since then."""
    message_id = letter_id(app.frame.sender[1].rpartition("@")[2])
    recipient = app.config.operator.email or ""
    body = WORDS.dump_json(words).decode()
    letter = Letter(0, NOTE, recipient, None, message_id, now, body=body)
    is_new = app.store.write_note(topic, letter, since)
    if is_new:
        logger.info("operator.told %s", json.dumps({"topic": topic}, ensure_ascii=False))
    return is_new


def _sources(app: App, since: datetime, until: datetime, found: Mapping[str, str]) -> list[str]:
    """A sentence on each source of the config: what it brought in that time, how it stands.

    Those that are among the troubles `found` have theirs there.
    """
    latest, good = app.store.latest_runs(), app.store.successes(since)
    brought = {name: [run for run in runs if run.started_at < until] for name, runs in good.items()}
    return [
        _sentence(app, summed(latest[one.name], brought.get(one.name, ())), until)
        if one.name in latest
        else f"{one.name} has never been read."
        for one in app.config.sources
        if f"source:{one.name}" not in found
    ]


def _sentence(app: App, run: SourceRun, now: datetime) -> str:
    timezone = app.config.service.timezone
    today: date = now.astimezone(zone(timezone)).date()
    run = stood(run, now)
    state = state_of(run, today, timezone)
    return f"{run.source} {state}." if state else f"{told(run, today)}."


def _admin_url(app: App) -> str:
    """Where the admin pages answer the operator; empty where they only answer on this machine."""
    base = app.config.service.base_url.rstrip("/")
    is_local = urlsplit(base).hostname in {"localhost", "127.0.0.1", "::1"}
    return f"{base}/admin" if app.config.web.admin_token_file or is_local else ""
