"""What was seen of the year from outside, and the assertions that hold on each of its days.

Nothing here asks the service: mails are those that the server took, rows are read by SQL of our
own, who is due is worked out from clocks on walls.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.model import MOVES, WEEKDAYS, DeliveryState, Subscriber, WhenEmpty
from tests.e2e.year.papers import Paper, World, newest_evening, rest_of
from tests.e2e.year.service import Mail

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

WAITING = {"queued", "sending", "deferred", "unknown"}

FIRST_WEEK = datetime(2026, 1, 8, tzinfo=UTC)

LOOKS = 8
"""At sources, a day at most: four at arXiv, one at Daily Papers, and those after a failure."""

REASONS = re.compile(
    r"None of the [\d,]+ new listings|The one new listing |Nothing new: |No source "
)
"""How an honest empty day begins."""


@dataclass(frozen=True)
class Row:
    """A row of the ledger."""

    email: str
    digest_on: date
    state: str
    message_id: str
    prepared_at: datetime
    attempts: int
    reply: str


@dataclass(frozen=True)
class Restore:
    """A copy of `copied_at` was put back at `at`; what happened between is not in the ledger."""

    copied_at: datetime
    at: datetime

    def forgot(self, moment: datetime) -> bool:
        """Whether the ledger lost what happened then."""
        return self.copied_at < moment <= self.at


@dataclass
class Witness:
    """The account of the year; `people` are the subscribers as we know them, `since` when."""

    people: dict[str, Subscriber] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    left: dict[str, datetime] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    owed: dict[tuple[str, date], datetime] = field(default_factory=dict)
    troubles: list[tuple[datetime, datetime]] = field(default_factory=list)
    silences: list[tuple[datetime, datetime]] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    released: set[tuple[str, date]] = field(default_factory=set)
    first_mail: dict[tuple[str, str], Mail] = field(default_factory=dict)
    checked: int = 0

    def settles(self, one: Subscriber, now: datetime) -> None:
        """Someone joined, came back, or wants it otherwise from now on."""
        self.people[one.email], self.since[one.email] = one, now
        self.left.pop(one.email, None)

    def hours(self, day: datetime) -> set[int]:
        """The hours of a day at whose start a tick is due: all others would find nothing to do.

        After send times; and an hour before them in the months in which clocks change.
        """
        hours = {0, 6, 12, 18}
        for one in self.people.values():
            for back in (-1, 0, 1):
                sent_at = moment(day.date() + back * DAY, one.send_at, one.timezone)
                hour = -((day - sent_at) // HOUR)
                hours |= {hour, hour - 1} if day.month in {3, 4, 10, 11} else {hour}
        return hours

    def sees(self, mails: list[Mail], now: datetime) -> None:
        """A tick is over: these mails came, and some local days have come by now."""
        self.mails += mails
        for email, one in self.people.items():
            if email in self.left:
                continue
            wall = now.astimezone(ZoneInfo(one.timezone)).replace(tzinfo=None)
            settled = self.since[email].astimezone(ZoneInfo(one.timezone)).date()
            for day in (wall.date() - DAY, wall.date()):
                late = wall - datetime.combine(day, one.send_at)
                has_come = HOUR <= late <= (16 if day == wall.date() else 5) * HOUR
                if has_come and day > settled and WEEKDAYS[day.weekday()] in one.days:
                    self.owed.setdefault((email, day), now)

    def restored(self, restore: Restore) -> None:
        """What the lost days owed is in no ledger any more."""
        self.restores.append(restore)
        self.owed = {key: at for key, at in self.owed.items() if not restore.forgot(at)}

    def reads_ledger(self, path: Path) -> None:
        """Take down the rows, and the moves since the last time."""
        with closing(sqlite3.connect(path)) as db:
            self.rows = [
                Row(email, date.fromisoformat(day), state, message_id,
                    datetime.fromisoformat(prepared_at), attempts, reply)
                for email, day, state, message_id, prepared_at, attempts, reply in db.execute(
                    "SELECT recipient, digest_on, state, message_id, prepared_at, attempts, reply"
                    " FROM deliveries"
                )
            ]  # fmt: skip
            self.moves = db.execute("SELECT before, after FROM year_moves").fetchall()
            db.execute("DELETE FROM year_moves")
            db.commit()

    def in_trouble(self, begins: datetime, ends: datetime) -> bool:
        """Whether an outage or a restore falls into that time."""
        times = [*self.troubles, *((one.copied_at, one.at + DAY) for one in self.restores)]
        return any(begins <= until and since <= ends for since, until in times)

    def in_silence(self, begins: datetime, ends: datetime) -> bool:
        """Whether the sources did not answer at that time."""
        return any(begins <= until and since <= ends for since, until in self.silences)

    def forgotten(self, at: datetime) -> bool:
        """Whether a restore took what happened then out of the ledger."""
        return any(one.forgot(at) for one in self.restores)

    def lost_twice(self, row: Row) -> bool:
        """Whether a row is held because the reply to its mail was lost each time."""
        lost = [mail.lost_reply for mail in self.mails if mail.message_id == row.message_id]
        return row.state == "held" and lost == [True, True]

    def cut_off(self, moment: datetime) -> bool:
        """Whether the mail server had gone without a word shortly before: it is left alone then."""
        return any(mail.lost_reply and mail.at >= moment - 8 * HOUR for mail in self.new_mails())

    def new_mails(self) -> list[Mail]:
        """Those of the day that is being looked at."""
        return self.mails[self.checked :]


# --- what holds every day -----------------------------------------------------------------------


def at_most_one_digest_a_local_day(seen: Witness) -> None:
    """One Message-ID for a reader's day; the same bytes twice only where the reply was lost."""
    assert len({(row.email, row.digest_on) for row in seen.rows}) == len(seen.rows)
    days: dict[tuple[str, date], list[Mail]] = defaultdict(list)
    fresh = {(mail.recipient, mail.digest_on) for mail in seen.new_mails()}
    for mail in seen.mails:
        if (mail.recipient, mail.digest_on) in fresh:
            days[mail.recipient, mail.digest_on].append(mail)
    for day, mails in days.items():
        if day not in seen.released:
            assert len({(mail.message_id, mail.content) for mail in mails}) == 1, day
            assert len(mails) == 1 or all(mail.lost_reply for mail in mails[:-1]), day


def nothing_to_who_has_left(seen: Witness) -> None:
    """No mail from the moment on at which someone unsubscribed, paused or was suppressed."""
    late = [
        mail for mail in seen.new_mails() if mail.at >= seen.left.get(mail.recipient, mail.at + DAY)
    ]
    assert not late


def nobody_is_lost(seen: Witness, now: datetime) -> None:
    """Whose day came while the service ran has a row, and the row an end or a reason to wait."""
    rows = {(row.email, row.digest_on): row for row in seen.rows}
    for (email, day), at in seen.owed.items():
        if at < now - 3 * DAY:
            continue
        assert (email, day) in rows, f"{email} has no row on {day}"
        row = rows[email, day]
        if row.state in WAITING:
            assert row.prepared_at > now - 25 * HOUR, row
        elif not seen.in_trouble(row.prepared_at - DAY, now) and email not in seen.left:
            refused = row.state == "refused" and row.reply.startswith("550")
            assert row.state in {"sent", "empty"} or refused or seen.lost_twice(row), row


def nothing_is_shown_twice(seen: Witness) -> None:
    """One paper comes once to a reader; only what a restore has forgotten may come once more."""
    for mail in seen.new_mails():
        for paper in mail.papers:
            first = seen.first_mail.setdefault((mail.recipient, paper), mail)
            if first.message_id != mail.message_id:
                assert seen.forgotten(first.at), f"{paper} again for {mail.recipient} at {mail.at}"
                seen.first_mail[mail.recipient, paper] = mail


def mails_and_ledger_agree(seen: Witness, now: datetime) -> None:
    """What was taken is recorded as sent, and what is recorded as sent was taken."""
    recent = [mail for mail in seen.mails if mail.at > now - 20 * DAY]
    taken = {mail.message_id for mail in recent}
    sent = {row.message_id for row in seen.rows if row.state == "sent"}
    assert {row.message_id for row in seen.rows if row.state == "sent"
            and row.prepared_at > now - 19 * DAY} <= taken  # fmt: skip
    unknown = {row.message_id for row in seen.rows if row.state in {"unknown", "held"}}
    known = {mail.message_id for mail in recent if not seen.forgotten(mail.at)}
    assert known <= sent | unknown


def moves_are_those_of_the_table(seen: Witness) -> None:
    """Rows are born queued, empty or held, and move as the table of states allows."""
    legal = {(str(state), str(after)) for state, moves in MOVES.items() for after in moves}
    legal |= {("", "queued"), ("", "empty")} | ({("", "held")} if seen.restores else set())
    assert set(seen.moves) <= legal


def empty_days_say_why(seen: Witness) -> None:
    """A day without a mail has its reason, in words."""
    for row in seen.rows:
        if row.state == DeliveryState.EMPTY:
            assert REASONS.match(row.reply), row


def the_hour_is_kept(seen: Witness) -> None:
    """By the clock on the wall, whatever the season: within the hour between two ticks."""
    attempts = {row.message_id: row.attempts for row in seen.rows}
    for mail in seen.new_mails():
        first_try = attempts.get(mail.message_id, 9) == 1
        if not first_try or seen.in_trouble(mail.at - DAY, mail.at) or seen.cut_off(mail.at):
            continue
        if mail.at - seen.since[mail.recipient] < DAY:
            continue
        late = mail.at - moment(mail.digest_on, mail.reader.send_at, mail.reader.timezone)
        assert timedelta() <= late < HOUR, f"{mail.recipient} on {mail.digest_on}: {late}"


def moment(day: date, send_at: time, name: str) -> datetime:
    """That time of a local day; what a jump leaves out is after it, of two the first."""
    return datetime.combine(day, send_at, tzinfo=ZoneInfo(name)).astimezone(UTC)


def the_calendar_is_told(seen: Witness, world: World) -> int:
    """Who wants notes reads why arXiv was silent: the weekend or the holiday by its name."""
    told = 0
    for mail in seen.new_mails():
        one = mail.reader
        daily_note = one.profile.when_empty is WhenEmpty.NOTE and len(one.days) == 7
        quiet = not seen.in_trouble(mail.at - 2 * DAY, mail.at)
        if not daily_note or not quiet or seen.in_silence(mail.at - DAY, mail.at):
            continue
        reason = rest_of(newest_evening(mail.at))
        words = f"arXiv makes no announcement {reason}"
        if not reason:
            assert "makes no announcement" not in mail.text, mail
        elif not world.had(mail.at - 26 * HOUR, mail.at):
            assert words in mail.text, f"{mail.at}: {words} not in {mail.text}"
            told += 1
    return told


def every_paper_arrives(seen: Witness, world: World, now: datetime) -> int:
    """What is about a reader's topic and was read eight days ago stands in a mail of theirs."""
    count = 0
    begins = now - 9 * DAY
    if seen.in_trouble(begins - DAY, now):
        return 0
    for paper in world.had(begins, begins + DAY):
        for email, one in seen.people.items():
            wanted = one.profile.keywords[0].term == paper.topic
            if wanted and email not in seen.left and seen.since[email] < begins - DAY:
                assert (email, paper.number) in seen.first_mail, f"{paper} never came to {email}"
                count += 1
    return count


def what_is_old_is_forgotten(seen: Witness, now: datetime) -> None:
    """Rows of the ledger are kept for 30 days, and the six hours until the next tidying."""
    assert all(row.prepared_at > now - 30 * DAY - 7 * HOUR for row in seen.rows)


def receipts_count_the_days_list(seen: Witness) -> None:
    """Daily Papers lists five a day; those of earlier days are looked at for their votes alone.

    One list may come and be replaced between two looks: what is new in it counts as well.
    """
    for mail in seen.new_mails():
        for count in re.findall(r"Daily Papers listed (\d+) on", mail.text):
            looked_back = mail.at - 9 * DAY
            if mail.at > FIRST_WEEK and not seen.in_trouble(looked_back, mail.at):
                assert int(count) <= 7 or seen.in_silence(looked_back, mail.at), mail.text


def a_day_that_never_was_has_no_digest(seen: Witness) -> None:
    """Who crossed the date line had no 20 June: after the 19th comes the 21st."""
    days = {mail.digest_on for mail in seen.mails if mail.recipient == "dateline@example.org"}
    assert days & {date(2026, 6, day) for day in (19, 20, 21)} == {
        date(2026, 6, 19),
        date(2026, 6, 21),
    }


# --- what the database may take: docs/operating.md says so --------------------------------------

LISTING, LETTER = 3_000, 4
"""Bytes of a listing that is kept for good, and of each letter of its title and abstract."""

DIGEST, ITEM, SHOWN, TOGETHER, LOOK = 2_000, 300, 3_000, 20_000, 1_000
"""Bytes of a digest, of a paper in it, of a listing as it was shown; of what the digests of one
time have together; of a look at a source."""


def stated_size(seen: Witness, world: World, now: datetime) -> int:
    """How many bytes the database may have, by what retention keeps for 30 and for 90 days."""
    listings = world.announced(now - 365 * DAY, now)
    shown = sum(len(mail.papers) for mail in seen.mails if mail.at > now - 31 * DAY)
    times = {(one.timezone, one.send_at, one.days) for one in seen.people.values()}
    return (
        1_000_000
        + kept_for_good(listings)
        + 31 * len(seen.people) * DIGEST
        + shown * (ITEM + SHOWN)
        + 31 * len(times) * TOGETHER
        + 91 * LOOKS * LOOK
    )


def kept_for_good(listings: list[Paper]) -> int:
    """How many bytes of these listings stay, whatever is forgotten."""
    return sum(LISTING + LETTER * len(one.title + one.abstract) for one in listings)
