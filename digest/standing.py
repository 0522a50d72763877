"""How a source stands: what its runs add up to, whether it is on time, and that in words.

Pure. The calendar predicts, the source decides: a list that came is told whatever the calendar
says, and one that should be out by the calendar is named late only where the source was asked.
Names and errors are from outside; who shows these words cleans and escapes them.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

from digest.errors import SourceError
from digest.model import Listing, Source, SourceRun, Standing
from digest.schedule import zone
from digest.sources.calendar import (
    CALENDARS,
    DAYS,
    MONTHS,
    Calendar,
    announced_on,
    calendar_of,
    missed,
    newest_list,
    rest_on,
    slot,
)

SILENT_AFTER = 3
"""So many missed lists are no delay any more."""

LEAST_QUIET, UNKNOWN_QUIET = timedelta(days=7), timedelta(days=14)
"""How long a source without a calendar may be quiet at least; how long when it has no rhythm yet.
Otherwise it is twice its longest wait so far."""

SOONEST = timedelta(minutes=5)
"""How soon a source that failed is asked again at the earliest."""

NAMED = 3
"""How many sources an empty day's reason names."""

_WAIT = re.compile(r"; (not asked before|it is asked once more after) [\d-]+ [\d:]+ UTC")
"""Until when an address is left in peace, in a fault; the sentence says when it is asked."""

EARLY = timedelta(hours=6)
"""How long before its hour a list may be seen."""


# --- what a run adds to what is known -------------------------------------------------------


def carried(
    run: SourceRun,
    source: Source,
    before: SourceRun | None,
    listings: Sequence[Listing],
    wait: datetime | None = None,
) -> SourceRun:
    """The run with what was known of its source before: its newest list, since when it fails.

    `before` is the run before it, `wait` until when a source that fails asks to be left in peace.
    """
    before = before or SourceRun(run.source, run.started_at)
    days = [day for day in (run.batch_on, before.list_on) if day]
    known = replace(
        run,
        calendar=calendar_of(source),
        list_on=max(days, default=None),
        list_id=before.list_id,
        list_at=before.list_at and min(before.list_at, run.started_at),
        longest_gap_s=before.longest_gap_s,
        retry_at=_again_at(run, source, wait) if run.error else None,
    )
    if run.error and not run.partly:
        since = min(before.failing_since or run.started_at, run.started_at)  # clocks are put right
        unreadable = run.unreadable or bool(before.failing_since and before.unreadable)
        return replace(known, failing_since=since, unreadable=unreadable)
    list_id = _list_id(run, listings)
    if not list_id or list_id == before.list_id:
        return known
    gap_s = int((run.started_at - (before.list_at or run.started_at)).total_seconds())
    longest = max(before.longest_gap_s, gap_s)
    return replace(known, list_id=list_id, list_at=run.started_at, longest_gap_s=longest)


def _again_at(run: SourceRun, source: Source, wait: datetime | None) -> datetime:
    """When a source that failed is asked again: not at every tick, and as late as it asked for."""
    usual = run.started_at + timedelta(seconds=source.every_s)
    return max(wait or usual, run.started_at + SOONEST)


def _list_id(run: SourceRun, listings: Sequence[Listing]) -> str:
    """What tells this list from others: its listings, those of its newest day where it has days."""
    newest = [one.key for one in listings if run.batch_on and one.listed_on == run.batch_on]
    keys = sorted(newest or [one.key for one in listings])
    return hashlib.sha256("\n".join(keys).encode("utf-8", "replace")).hexdigest()[:16] * bool(keys)


def summed(latest: SourceRun, good: Sequence[SourceRun]) -> SourceRun:
    """The latest run of a source with what its runs of some days brought together.

    A list that was read several times counts once: each day's list where lists have days, else
    what was read at one time.
    """
    dated = _calendar(latest).dated_days is not None
    lists: dict[date | None, list[SourceRun]] = defaultdict(list)
    good = [run for run in good if run.started_at <= latest.started_at]  # by a clock put right
    for run in good:
        if run.read or run.announced is not None:
            lists[run.batch_on if dated else None].append(run)
    largest = [max(runs, key=lambda run: run.read) for runs in lists.values()]
    stated = [run.announced for run in largest if run.announced is not None]
    days = [run.batch_on for run in largest if run.batch_on]
    read, new = sum(run.read for run in largest), sum(run.new for run in good)
    once = len(good) == 1
    total = replace(
        latest,
        announced=sum(stated) if stated else None,
        read=max(read, new),
        new=new,
        joined=good[0].joined if once else max(0, read - new),
        too_old=sum(run.too_old for run in good),
        revised=sum(run.revised for run in good),
        undated=sum(run.undated for run in good),
        batch_on=max(days, default=None),
        lists=len(largest),
    )
    if latest.standing is Standing.REST and _came_at_rest(total):
        return replace(total, standing=Standing.ON_TIME, reason="")
    return total


# --- how it stands --------------------------------------------------------------------------


def stood(run: SourceRun, now: datetime) -> SourceRun:
    """The run with how its source stands at that time, and when it rests if it does."""
    calendar = _calendar(run)
    if run.retry_at and run.retry_at <= now:
        run = replace(run, retry_at=None)
    if not run.calendar or run.failing_since:
        return run
    if standing := _behind(calendar, run):
        return replace(run, standing=standing)
    reason = "" if _came_at_rest(run) else rest_on(calendar, slot(calendar, now))
    return replace(run, standing=Standing.REST, reason=reason) if reason else run


def _came_at_rest(run: SourceRun) -> bool:
    """Whether the run's list is of a day on which by the calendar none comes, and no old one."""
    calendar = _calendar(run)
    if not (run.read and run.batch_on and run.list_at) or calendar.dated_days is None:
        return False
    is_old = run.list_at.date() < run.batch_on  # seen before, under another date
    return not is_old and bool(rest_on(calendar, announced_on(calendar, run.batch_on)))


def _behind(calendar: Calendar, run: SourceRun) -> Standing | None:
    """How a source is behind, as of when it was asked; None for one that is not."""
    if calendar.dated_days is None or run.list_on is None:
        return Standing.SILENT if _is_quiet(run) else None
    behind = missed(calendar, run.list_on, run.started_at)
    if behind >= SILENT_AFTER:
        return Standing.SILENT
    again = bool(run.read and not run.new and run.list_at and run.list_at < run.started_at)
    if behind:
        return Standing.REPEATED if again else Standing.LATE
    newest = newest_list(calendar, run.list_on)
    if again and run.list_at and newest > slot(calendar, run.list_at + EARLY):
        return Standing.REPEATED  # the old ids under a new date
    due = slot(calendar, run.started_at)
    return Standing.DUE if newest < due and not rest_on(calendar, due) else None


def _is_quiet(run: SourceRun) -> bool:
    """Whether nothing has come for longer than the source's own rhythm lets expect."""
    if run.list_at is None:
        return False
    rhythm = timedelta(seconds=2 * run.longest_gap_s)
    longest = max(LEAST_QUIET, rhythm) if run.longest_gap_s else UNKNOWN_QUIET
    return run.started_at - run.list_at > longest


def overdue(runs: Iterable[SourceRun], now: datetime) -> list[SourceRun]:
    """The sources that an operator should look at: failing or silent for longer than they should.

    `runs` are the latest ones; a source that fails is given a day to come back.
    """
    stands = [stood(run, now) for run in runs]
    return [
        run
        for run in stands
        if run.standing is Standing.SILENT
        or (run.failing_since and now - run.failing_since > timedelta(days=1))
    ]


def _calendar(run: SourceRun) -> Calendar:
    return CALENDARS.get(run.calendar, CALENDARS["rhythm"])


# --- in words -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """What of a source fits one person, `matched` None where that is not known.

    `elsewhere` names the sources that some of the `shown` are in as well, with how many.
    """

    matched: int | None = None
    shown: int = 0
    elsewhere: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        """The end of a source's sentence: `; 14 fit you; 10 shown (3 also in Daily Papers)`."""
        said = ""
        if self.matched is not None:
            fits = "fits" if self.matched == 1 else "fit"
            said = f"; {self.matched:,} {fits} you" if self.matched else "; none fits you"
        if self.shown:
            said += f"; {self.shown:,} shown"
        if self.shown and self.elsewhere:
            said += f" ({', '.join(f'{count:,} also in {name}' for name, count in self.elsewhere)})"
        return said


def told(run: SourceRun, today: date) -> str:
    """What became of a source that could be read: its counts, or why it has none; no stop after it.

    A source that comes late is told so unless it brought something before.
    """
    if not is_counted(run):
        return f"{run.source} {state_of(run, today)}"
    said = f"{run.source} {_brought(run, today)}"
    if run.new != run.read:
        said += f", {run.new:,} of them new" if run.new else ", none of them new"
    kept_out = (
        (run.too_old, "too old to send"),
        (run.revised, "revised, not sent"),
        (run.undated, "undated, not sent"),
    )
    return said + "".join(f"; {count:,} {why}" for count, why in kept_out if count)


def is_counted(run: SourceRun) -> bool:
    """Whether a source that could be read is told by its counts: on time, or with news."""
    return run.new > 0 or run.standing is Standing.ON_TIME


def state_of(run: SourceRun, today: date, timezone: str = "") -> str:
    """How a source stands, as said of it: `makes no announcement at weekends`; empty when well.

    Times of a failure are in that zone; without one neither times nor causes are told.
    """
    if run.error:
        return _failure(run, today, timezone)
    match run.standing:
        case Standing.ON_TIME:
            said = ""
        case Standing.REST:
            said = f"{_calendar(run).rests} {run.reason}"
        case Standing.DUE:
            said = f"has no newer list yet than that of {_list_day(run, today)}"
        case Standing.LATE:
            said = f"is late: its newest list is that of {_list_day(run, today)}"
        case Standing.REPEATED:
            said = f"has repeated {_old_list(run, today)}"
        case Standing.SILENT:
            said = f"has brought nothing since {_list_day(run, today)}, longer than it should"
    return said


def _failure(run: SourceRun, today: date, timezone: str) -> str:
    """Since when a source fails, why, and when it is asked again."""
    why = run.error.removeprefix(str(SourceError(run.source, ""))).rstrip(". ")
    if not run.unreadable:
        why = why.removeprefix("answered ").replace(": answered ", ": ")  # a 503 is no answer
    # What a mail has kept from before `partly` was told is said again in the same words.
    in_part = run.partly or (run.read and not run.failing_since)
    part = "could be read only in part" if in_part else ""
    if not (run.failing_since and timezone):
        return (part or "could not be read") + (f": {why}" if timezone else "")
    unheard = run.calendar and not run.unreadable
    fails = "has not answered since" if unheard else "could not be read since"
    why = _WAIT.sub("", why)
    again = f"; we try again {moment(run.retry_at, today, timezone, 'at ')}" if run.retry_at else ""
    return f"{fails} {moment(run.failing_since, today, timezone)}{again} ({why})"


def _brought(run: SourceRun, today: date) -> str:
    """What a source brought: `announced 312 on Thursday; read 312`."""
    calendar = _calendar(run)
    if not run.read:
        return f"{calendar.brings} nothing new"
    when = ""
    if run.lists > 1:
        when = f" in {run.lists} lists"
    elif calendar.dated_days is not None and run.batch_on:
        when = f" on {day_word(announced_on(calendar, run.batch_on), today)}"
    if run.announced is None:
        return f"{calendar.brings} {run.read:,}{when}"
    brings = calendar.brings if run.calendar else "announced"
    return f"{brings} {run.announced:,}{when}; read {run.read:,}"


def _list_day(run: SourceRun, today: date) -> str:
    """The day on which a source's newest list came out."""
    if run.list_on and _calendar(run).dated_days is not None:
        return day_word(newest_list(_calendar(run), run.list_on), today)
    return day_word((run.list_at or run.started_at).date(), today)


def _old_list(run: SourceRun, today: date) -> str:
    """`yesterday’s list`, or `its list of Wednesday`."""
    seen_on = (run.list_at or run.started_at).date()
    dated = min(run.list_on or seen_on, seen_on)
    if (today - dated).days == 1:
        return "yesterday’s list"
    return f"its list of {day_word(newest_list(_calendar(run), dated), today)}"


def why_empty(
    considered: int, nearest: float, floor: float, sources: Sequence[SourceRun], today: date
) -> str:
    """One honest sentence on why nothing fits today; `nearest` is the best score there was."""
    failed = [run.source for run in sources if run.error]
    unheard = f" ({', '.join(failed)} could not be read)" if failed else ""
    behind = [run for run in sources if run.standing is not Standing.ON_TIME and not run.error]
    if considered == 1:
        reason = f"The one new listing did not reach your floor of {floor:.2f}"
        reason += (
            f"; it scored {nearest:.2f}" if nearest else "; none of your keywords stands in it"
        )
    elif considered:
        reason = f"None of the {considered:,} new listings reached your floor of {floor:.2f}"
        reason += f"; the nearest scored {nearest:.2f}" if nearest else _NO_KEYWORD
    elif not sources:
        reason = "No source has been read yet"
    elif len(failed) == len(sources):
        reason = "No source could be read"
    elif behind:
        told = [f"{run.source} {state_of(run, today)}" for run in behind[:NAMED]]
        more = len(behind) - len(told)
        reason = "Nothing new: " + "; ".join(told + ([f"{more} more like these"] if more else []))
    else:
        reason = "No source announced anything that is new to you"
    return reason + unheard + "."


_NO_KEYWORD = "; none of your keywords stands in any of them"


def day_word(day: date, today: date) -> str:
    """`Thursday` in the last six days, `12 November` before, with its year in another."""
    if 0 <= (today - day).days < 7:
        return DAYS[day.weekday()]
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if day.year != today.year else "")


def moment(at: datetime, today: date, timezone: str, before: str = "") -> str:
    """`06:10 GMT`, `Thursday 06:10 GMT` on another day than today; `before` stands before today's.

    A zone without a name of its own goes by its distance: `UTC+05:45`.
    """
    try:
        local = at.astimezone(zone(timezone))
    except (ValueError, ZoneInfoNotFoundError):  # a zone that this machine's data no longer has
        local = at
    label = local.tzname() or "UTC"
    if label[0] in "+-":
        label = f"UTC{label[:3]}" + (f":{label[3:]}" if label[3:] else "")
    days = (local.date() - today).days
    word = before if not days else "tomorrow " if days == 1 else f"{day_word(local.date(), today)} "
    return f"{word}{local:%H:%M} {label}"
