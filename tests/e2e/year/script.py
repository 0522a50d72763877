"""Who reads through the year, and what befalls them, the service and the machine on which day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from digest.model import Origin, Subscriber, SubscriberState, WhenEmpty
from tests.bounces.mails import delivery_report, group
from tests.e2e.year import zones
from tests.e2e.year.papers import TOPICS, World
from tests.e2e.year.service import Service
from tests.e2e.year.witness import Restore, Witness
from tests.samples import profile, subscriber

DAY = timedelta(days=1)
WORKING = ("mon", "tue", "wed", "thu", "fri")


def reader(name: str, timezone: str, send_at: time, topic: int, **fields: object) -> Subscriber:
    """A reader of one topic, who gets a note on an empty day unless they want silence."""
    wishes = profile(
        keywords={TOPICS[topic]: 3.0},
        min_score=0.2,
        when_empty=fields.pop("when_empty", WhenEmpty.NOTE),
        related=False,
    )
    return subscriber(
        f"{name}@example.org",
        timezone=timezone,
        send_at=send_at,
        profile=wishes,
        origin=fields.pop("origin", Origin.STORE),
        **fields,
    )


LISTED = (
    reader("berlin", "Europe/Berlin", time(7, 30), 0, origin=Origin.FILE),
    reader("gap", "Europe/Berlin", time(2, 30), 1, origin=Origin.FILE),
    reader("weekly", "UTC", time(6, 30), 2, origin=Origin.FILE, days=("mon",)),
)
"""Subscribers of the config file."""

JOINED = (
    reader("fold", "America/New_York", time(1, 30), 0),
    reader("kolkata", "Asia/Kolkata", time(7, 0), 3, days=WORKING, when_empty=WhenEmpty.SKIP),
    reader("lordhowe", "Australia/Lord_Howe", time(2, 15), 4),
    reader("friday", "Pacific/Apia", time(18, 0), 3, days=("fri",)),
    reader("nuuk", "America/Nuuk", time(23, 30), 4, when_empty=WhenEmpty.NEAREST),
    reader("dateline", zones.NAME, time(4, 30), 5),
    reader("leaver", "Europe/Berlin", time(7, 30), 0),
    reader("bounces", "Europe/London", time(6, 30), 1),
    reader("unknown", "Europe/London", time(6, 30), 2),
    reader("full", "Europe/London", time(6, 30), 4),
    reader("pauses", "America/New_York", time(1, 30), 5, when_empty=WhenEmpty.SKIP),
)
"""Those of the store who are there from the beginning."""

NEWCOMER = reader("newcomer", "Asia/Kolkata", time(7, 0), 0)
MOVED = replace(NEWCOMER, timezone="America/New_York", send_at=time(20, 30))
OTHERWISE = replace(reader("newcomer", "America/New_York", time(1, 30), 3), days=WORKING)

Act = Callable[[], Awaitable[None]]


def at(month: int, day: int, hour: int = 0) -> datetime:
    """That hour of the year, UTC."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


class Script:
    """What happens when, in order; each act comes before the tick of its hour."""

    def __init__(self, service: Service, seen: Witness, world: World) -> None:
        self.service, self.seen, self.world = service, seen, world
        self._copied_at = at(1, 1)
        self._acts: list[tuple[datetime, Act]] = sorted(
            [*self._people(), *self._outages(), *self._restores(), *self._machine()],
            key=lambda act: act[0],
        )

    @property
    def is_over(self) -> bool:
        """Whether all of it has happened."""
        return not self._acts

    async def play(self, now: datetime) -> None:
        """Do what the hour has brought."""
        while self._acts and self._acts[0][0] <= now:
            _, act = self._acts.pop(0)
            await act()

    # --- people ---------------------------------------------------------------------------------

    def _people(self) -> list[tuple[datetime, Act]]:
        return [
            (at(3, 1, 12), lambda: self._put(NEWCOMER)),
            (at(3, 3, 5), lambda: self._leave("leaver", SubscriberState.UNSUBSCRIBED)),
            (at(4, 8, 10), lambda: self._bounce("bounces")),
            (at(5, 5, 3), lambda: self._put(MOVED)),
            (at(6, 2, 2), lambda: self._pause("pauses", at(6, 20))),
            (at(6, 20, 1), lambda: self._back("pauses")),
            (at(7, 2, 0), lambda: self._refuse("unknown", b"550 5.1.1 no such user")),
            (at(7, 3, 0), lambda: self._gone("unknown")),
            (at(8, 3, 0), lambda: self._refuse("full", b"452 4.2.2 mailbox full")),
            (at(8, 3, 18), lambda: self._refuse("full", None)),
            (at(8, 18, 0), lambda: self._put(OTHERWISE)),
            (at(9, 1, 0), lambda: self._put(self.seen.people["leaver@example.org"])),
            (at(10, 6, 0), lambda: self._lift("bounces")),
            (at(11, 12, 6), lambda: self._leave("friday", SubscriberState.UNSUBSCRIBED)),
        ]

    async def _put(self, one: Subscriber) -> None:
        now = self.service.clock.now
        active = replace(one, state=SubscriberState.ACTIVE)
        self.service.app.store.put_subscriber(active, now)
        known = self.service.app.store.subscriber(one.email)
        assert known
        self.service.app.store.set_state(known.id, SubscriberState.ACTIVE, now)
        self.seen.settles(one, now)

    async def _leave(self, name: str, state: SubscriberState) -> None:
        one = self._known(name)
        self.service.app.store.set_state(one.id, state, self.service.clock.now)
        self.seen.left[one.email] = self.service.clock.now

    async def _pause(self, name: str, until: datetime) -> None:
        one = self._known(name)
        assert self.service.app.store.pause(one.id, until, self.service.clock.now)
        self.seen.left[one.email] = self.service.clock.now

    async def _back(self, name: str) -> None:
        """The pause was over by itself at an hour before this one."""
        self.seen.settles(self.seen.people[f"{name}@example.org"], self.service.clock.now)

    async def _bounce(self, name: str) -> None:
        """Their provider sends the last mail back, for good."""
        email = f"{name}@example.org"
        last = next(mail for mail in reversed(self.seen.mails) if mail.recipient == email)
        report = delivery_report(group(email), to=last.sender)
        self.service.maildir.add(report)
        self.seen.left[email] = self.service.clock.now

    async def _lift(self, name: str) -> None:
        email = f"{name}@example.org"
        assert self.service.app.store.lift(email, self.service.clock.now) is None
        self.seen.settles(self.seen.people[email], self.service.clock.now)

    async def _refuse(self, name: str, answer: bytes | None) -> None:
        """The mail server says this to the address from now on; nothing of note for None."""
        email = f"{name}@example.org"
        if answer is None:
            del self.service.office.refusing[email]
        else:
            self.service.office.refusing[email] = answer

    async def _gone(self, name: str) -> None:
        """The refusal was taken for what it is: the address is dead, and stays so."""
        assert self._known(name).state is SubscriberState.SUPPRESSED
        await self._refuse(name, None)
        self.seen.left[f"{name}@example.org"] = self.service.clock.now

    def _known(self, name: str) -> Subscriber:
        one = self.service.app.store.subscriber(f"{name}@example.org")
        assert one, name
        return one

    # --- outages --------------------------------------------------------------------------------

    def _outages(self) -> list[tuple[datetime, Act]]:
        return [
            (at(2, 10, 2), self._silence),
            (at(2, 17, 2), self._speech),
            (at(4, 20, 6), self._close_office),
            (at(4, 27, 6), self.service.office.open),
            (at(5, 11, 5), self._stop),
            (at(5, 18, 5), self._start),
            (at(1, 9, 7), self._lose),
            (at(1, 9, 8), self._lose_no_more),
            (at(10, 9, 6), self._lose),
            (at(10, 9, 13), self._lose_no_more),  # a second reply may be lost: then it is held
        ]

    async def _silence(self) -> None:
        self.world.down = True
        self.seen.silences.append((self.service.clock.now, at(2, 18)))

    async def _speech(self) -> None:
        self.world.down = False

    async def _close_office(self) -> None:
        await self.service.office.close()
        self.seen.troubles.append((at(4, 20, 6), at(4, 27, 12)))

    async def _stop(self) -> None:
        self.service.stop()
        self.seen.troubles.append((at(5, 11, 5), at(5, 18, 12)))

    async def _start(self) -> None:
        self.service.start()

    async def _lose(self) -> None:
        """The mail server takes mails and says nothing of it."""
        self.service.office.loses_replies = True

    async def _lose_no_more(self) -> None:
        self.service.office.loses_replies = False

    # --- restores -------------------------------------------------------------------------------

    def _restores(self) -> list[tuple[datetime, Act]]:
        return [
            (at(3, 15, 3), self._copy),
            (at(3, 18, 13), self._restore),  # nobody says a word of what is held
            (at(7, 8, 3), self._copy),
            (at(7, 8, 14), lambda: self._restore("release", "berlin@example.org")),
            (at(9, 12, 10), self._copy),
            (at(9, 14, 10), lambda: self._restore("cancel", "--all", moved=True)),
        ]

    async def _copy(self) -> None:
        self.service.command("backup", "--force", "copy.db")
        self._copied_at = self.service.clock.now

    async def _restore(self, *word: str, moved: bool = False) -> None:
        """Put the copy back, on a new machine too, and say what becomes of what is held."""
        now = self.service.clock.now
        self.service.stop()
        if moved:
            self.service.database.with_name("digest.db.sent").unlink()
        self.service.command("restore", "copy.db")
        self.service.start()
        self.seen.restored(Restore(self._copied_at, now))
        if word:
            await self.service.tick()
            self.service.command("held", *word)
        if word[:1] == ("release",):
            self.seen.released.add((word[1], now.date()))

    # --- the machine ----------------------------------------------------------------------------

    def _machine(self) -> list[tuple[datetime, Act]]:
        return [(at(6, 16, 4), self._new_rules)]

    async def _new_rules(self) -> None:
        """The machine is upgraded: new time zone data, and the service begins anew."""
        zones.put_rules(self.service.folder / "zones", zones.AFTER)
        self.service.stop()
        self.service.start()
