"""Settings that change while the service runs: what is taken up, what is told, what stays."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App, open_app
from digest.config import load_config
from digest.mailer import SmtpMailer
from digest.model import DeliveryState, Origin, SubscriberState
from digest.reloading import Settings
from digest.ticks import Ticks
from digest.web import Pulse
from tests.running import CONFIG, announce, delivery_of
from tests.samples import NOW, listing, subscriber
from tests.smtp_server import mail_server

ADA = '\n[[subscribers]]\nemail = "ada@example.org"\nkeywords = { "flash attention" = 2 }\n'
MARY = ADA.replace("ada@", "mary@")
MAIL = 'note_file = "note.md"\ntemplates = "templates"'


@dataclass
class Place:
    """A folder with settings, and the service that runs by them."""

    folder: Path
    app: App
    pulse: Pulse = field(default_factory=Pulse)
    writes: int = 0

    def __post_init__(self) -> None:
        self.settings = Settings(self.app, self.pulse)

    def write(self, name: str, text: str) -> None:
        """Write a file so that its time tells, however fast the test is."""
        self.writes += 1
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        os.utime(path, (1_800_000_000 + self.writes,) * 2)

    def configure(self, text: str = ADA, *, mail: str = MAIL, port: int = 1) -> None:
        """Write the config."""
        self.write("config.toml", CONFIG.format(port=port, lease_s=120, mail=mail) + text)

    def look(self, *, asked: bool = False) -> App | None:
        """Look once; what was taken up."""
        fresh = self.settings.changed(self.app, NOW, asked=asked)
        self.app = fresh or self.app
        return fresh

    def looks(self) -> App | None:
        """Look until the files have stood still."""
        return self.look() or self.look()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A service with a note and templates of the operator's own."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "subject.txt").write_text("Papers")
    (tmp_path / "note.md").write_text("Hello")
    text = CONFIG.format(port=1, lease_s=120, mail=MAIL) + ADA
    (tmp_path / "config.toml").write_text(text)
    with open_app(load_config(tmp_path / "config.toml"), NOW) as app:
        yield Place(tmp_path, app)


def state(place: Place, email: str) -> SubscriberState | None:
    """How the subscriber of an address stands."""
    one = place.app.store.subscriber(email)
    return one.state if one else None


def test_settings_that_stay_as_they_are_are_not_read(place: Place) -> None:
    """Look after look, the very same parts go on."""
    assert [place.look() for _ in range(3)] == [None] * 3


def test_a_changed_config_is_taken_up_with_its_people(place: Place) -> None:
    """Who is new in the file is subscribed, who is missing is not; the old parts stay whole."""
    before = place.app
    place.configure(MARY, mail='reply_to = "desk@example.org"')
    fresh = place.looks()
    assert fresh
    assert (fresh.frame.reply_to, fresh.frame.note) == ("desk@example.org", "")
    assert state(place, "mary@example.org") is SubscriberState.ACTIVE
    assert state(place, "ada@example.org") is SubscriberState.REMOVED
    assert (before.frame.reply_to, before.frame.note) == ("", "Hello")
    assert fresh.store is before.store
    assert place.pulse.settings_at == NOW
    assert not place.app.store.noted_states()


def test_files_of_a_machine_that_only_works_say_not_who_is_subscribed(place: Place) -> None:
    """They may be older than those of the service; the rest of them is taken up there."""
    guest = Settings(place.app, place.pulse, "mail2")
    place.configure(MARY, mail='reply_to = "desk@example.org"')
    fresh = guest.changed(place.app, NOW, asked=True)
    assert fresh
    assert fresh.frame.reply_to == "desk@example.org"
    assert state(place, "mary@example.org") is None
    assert state(place, "ada@example.org") is SubscriberState.ACTIVE
    with open_app(load_config(place.folder / "config.toml"), NOW, is_guest=True):
        assert state(place, "ada@example.org") is SubscriberState.ACTIVE
    place.write("config.toml", "nonsense")
    assert guest.changed(fresh, NOW, asked=True) is None
    (told,) = place.app.store.noted_states().items()
    assert told[0] == "settings mail2"
    assert "on mail2 have faults" in told[1].says[0]


def test_a_file_that_is_being_written_is_not_read_by_half(place: Place) -> None:
    """A change counts from one look to the next, or whom the first half leaves out would be cut."""
    place.configure("")
    assert place.look() is None
    place.configure(ADA + MARY)
    assert place.look() is None
    assert place.look()
    assert state(place, "ada@example.org") is SubscriberState.ACTIVE


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [("note.md", "Good morning", "Good morning"), ("templates/subject.txt", "News", "News")],
)
def test_a_changed_note_or_template_is_taken_up(
    place: Place, name: str, text: str, shown: str
) -> None:
    """The config itself need not change."""
    place.write(name, text)
    fresh = place.looks()
    assert fresh
    assert shown in (fresh.frame.note, dict(fresh.frame.templates)["subject.txt"])


FAULTS = [
    ("config.toml", "[servce]", r"config\.toml: \[servce\]: is no table here; did you mean"),
    ("config.toml", "name = ", r"config\.toml: line 1"),
    ("templates/subject.txt", "{{ nothing }}", r"\[mail\] templates: .*subject.*nothing"),
    ("templates/digest.txt", "{% if %}", r"\[mail\] templates: .*digest\.txt"),
]


@pytest.mark.parametrize(("name", "text", "said"), FAULTS)
def test_what_is_faulty_is_told_and_the_old_stays(
    place: Place, caplog: pytest.LogCaptureFixture, name: str, text: str, said: str
) -> None:
    """Once in the log, and to other processes; mended, it is in force at once."""
    before, was = place.app, (place.folder / name).exists()
    kept = (place.folder / name).read_text() if was else ""
    with caplog.at_level(logging.INFO, "digest"):
        place.write(name, text)
        assert [place.look() for _ in range(5)] == [None] * 5
    assert place.app is before
    assert [one.levelname for one in caplog.records] == ["ERROR"]
    assert caplog.messages[0].startswith("settings.faulty ")
    noted = place.app.store.noted_states()["settings"].says
    assert noted[0] == "the settings in the files have faults; those from before are in force"
    for words in (caplog.text, "\n".join(noted), "\n".join(place.pulse.faults)):
        assert re.search(said, words), words
    assert state(place, "ada@example.org") is SubscriberState.ACTIVE
    if was:
        place.write(name, kept)
    else:
        (place.folder / name).unlink()
    assert place.looks()
    assert not place.pulse.faults
    assert not place.app.store.noted_states()


def test_a_file_that_a_faulty_config_names_is_waited_for(place: Place) -> None:
    """The note comes after the config that names it, and need not wait for another change."""
    place.configure(mail='note_file = "other.md"')
    assert place.looks() is None
    assert "other.md does not exist" in place.pulse.faults[0]
    place.write("other.md", "Here")
    fresh = place.looks()
    assert fresh
    assert fresh.frame.note == "Here"


def test_what_cannot_change_while_it_runs_is_said_and_the_rest_is_taken_up(place: Place) -> None:
    """The database, its keys and the open ports stay; each key is named until the next start."""
    later = '\n[web]\nport = 1234\nsignups_per_hour = 7\n[bounces]\nlisten = "127.0.0.1:9"\n'
    place.configure(later + ADA, mail='bounce_domain = "b.example.org"')
    text = (place.folder / "config.toml").read_text()
    place.write("config.toml", text.replace("[mail]", 'data = "other.db"\n[mail]'))
    fresh = place.looks()
    assert fresh
    assert (fresh.config.web.port, fresh.config.web.signups_per_hour) == (8080, 7)
    assert Path(fresh.config.service.data).name == "digest.db"
    keys = ("[service] data", "[web] port", "[bounces] listen")
    assert place.pulse.later == keys
    says = place.app.store.noted_states()["settings"].says
    assert says[1] == "[web] port has changed; that takes effect when the service is started anew"
    place.configure()
    assert place.looks()
    assert not place.pulse.later
    assert not place.app.store.noted_states()


def test_asked_for_it_reads_at_once(place: Place) -> None:
    """A signal waits for no second look, and takes up what no time of a file tells."""
    place.configure(ADA + MARY)
    assert place.look(asked=True)
    assert place.look(asked=True)
    assert place.look() is None


def test_what_was_learned_of_a_mail_server_holds_while_its_settings_do(place: Place) -> None:
    """Its rest, its rates and its limits go on; another server begins anew."""
    before = place.app.mailer
    place.configure(ADA + MARY)
    fresh = place.looks()
    assert fresh
    assert fresh.mailer is before
    place.configure(port=2)
    fresh = place.looks()
    assert fresh
    assert isinstance(fresh.mailer, SmtpMailer)
    assert fresh.mailer is not before


def test_q15_a_run_of_sending_ends_between_mails_and_goes_on_elsewhere(tmp_path: Path) -> None:
    """While mails go out the server's port changes: each goes out once, some here, some there."""
    people = [subscriber(f"reader{n}@example.org", origin=Origin.STORE) for n in range(30)]

    async def story() -> list[list[str]]:
        some = asyncio.Event()

        def script(step: str, before: int) -> None:
            if (step, before) == ("dot", 5):
                some.set()
                old.hold = asyncio.Event()  # answers wait until the new settings are there

        async with mail_server(script) as old, mail_server() as new:
            text = CONFIG.format(port=old.port, lease_s=120, mail="")
            path = tmp_path / "config.toml"
            path.write_text(text)
            with open_app(load_config(path), NOW) as app:
                for one in people:
                    app.store.put_subscriber(one, NOW)
                announce(app, listing("Flash attention"))
                jobs.prepare(app, NOW)
                ticks = Ticks(app, lambda: NOW, asyncio.Event())
                run = asyncio.create_task(ticks.deliver())
                await some.wait()
                path.write_text(text.replace(f"port = {old.port}", f"port = {new.port}"))
                ticks.asked = True
                assert await ticks.reload()
                assert old.hold
                old.hold.set()
                await run
                states = app.store.deliveries_by_state(NOW - timedelta(days=1))
                assert set(states) <= {DeliveryState.SENT, DeliveryState.QUEUED}
                await ticks.deliver()
                for one in people:
                    assert delivery_of(app, one.email).state is DeliveryState.SENT
            return [[to for mail in box.taken for to in mail.recipients] for box in (old, new)]

    here, there = asyncio.run(story())
    assert here
    assert there
    assert sorted(here + there) == sorted(one.email for one in people)
