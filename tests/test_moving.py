"""People from another system's list: who comes in, on whose word, and who is never mailed."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest import mailroom, moving
from digest.app import App
from digest.errors import ConfigError
from digest.mailer.folder import EmlFolder
from digest.model import Origin, Subscriber, SubscriberState
from digest.moving import Tally, Terms, move_in
from digest.roster import open_roster
from digest.signup import INVITATION
from digest.store import Signup, SignupLimits
from digest.store.moved import Landing
from digest.store.returned import Reason
from tests.running import running
from tests.samples import NOW, profile, subscriber

LIKE = subscriber("starter@example.org", profile=profile(keywords={"rivers": 2.0}, min_score=0.4))
VOUCHED = Terms(LIKE, "web form of the old list, 2021")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A service without a subscriber."""
    with running(tmp_path) as made:
        yield made


def imported(
    app: App, text: str, terms: Terms = VOUCHED, *, dry: bool = False, now: datetime = NOW
) -> Tally:
    """What becomes of a table with these rows."""
    path = app.folder / "people.csv"
    path.write_text(text, "utf-8")
    return move_in(app, open_roster(path), terms, now, dry=dry)


def one(app: App, email: str = "ada@example.org") -> Subscriber:
    """The subscriber of an address."""
    found = app.store.subscriber(email)
    assert found
    return found


def letters(app: App, now: datetime = NOW) -> list[str]:
    """Who is to get a letter now."""
    return [each.recipient for each in app.store.claim_letters(now, 100, 60.0, "test")]


def sign_up(app: App, email: str = "ada@example.org") -> int:
    """Sign up by the form, as a visitor does; returns the number of the sign-up."""
    asked = Signup(subscriber(email), "form", "192.0.2.0/24", NOW, app.tokens.address(email), "net")
    assert app.store.sign_up(asked, SignupLimits(9, 9), "example.org", NOW)
    (letter,) = app.store.claim_letters(NOW, 1, 60.0, "form")
    assert letter.signup_id
    return letter.signup_id


def test_who_agreed_elsewhere_comes_in_with_the_proof(app: App) -> None:
    """The default profile, their own settings above it, and the operator's word as the proof."""
    text = "email,name,created_at,timezone\nada@example.org,Ada,2021-03-04,Asia/Tokyo\n"
    assert imported(app, text).landed == {Landing.ADDED: 1}
    ada = one(app)
    assert (ada.state, ada.origin, ada.name) == (SubscriberState.ACTIVE, Origin.STORE, "Ada")
    assert (ada.profile, ada.timezone) == (LIKE.profile, "Asia/Tokyo")
    assert app.store.consents(ada.id) == [
        {
            "form": "import: web form of the old list, 2021",
            "client": "",
            "asked_at": "2021-03-04T00:00:00.000000+00:00",
            "confirmed_at": NOW.isoformat(timespec="microseconds"),
        }
    ]
    assert letters(app) == []


def test_a_row_may_bring_its_own_proof_and_profile(app: App) -> None:
    """It goes before the default and before the operator's word."""
    head = "email,keywords,consent,confirmed_at,state\n"
    imported(app, f"{head}ada@example.org,lakes=3,paper form,2020-02-03,paused\n", Terms(LIKE))
    ada = one(app)
    assert [(k.term, k.weight) for k in ada.profile.keywords] == [("lakes", 3.0)]
    assert (ada.profile.min_score, ada.state) == (0.4, SubscriberState.PAUSED)
    (proof,) = app.store.consents(ada.id)
    assert (proof["form"], proof["confirmed_at"][:10]) == ("import: paper form", "2020-02-03")


def test_o1_without_a_proof_somebody_is_asked_once_and_mailed_nothing_else(app: App) -> None:
    """One letter, also when the list is imported again; they subscribe by answering it."""
    text = "email\nada@example.org\n"
    assert imported(app, text, Terms(LIKE)).landed == {Landing.ASKED: 1}
    assert app.store.subscribers() == []
    (letter,) = app.store.claim_letters(NOW, 10, 60.0, "test")
    assert letter.recipient == "ada@example.org"
    for days in (0, 1, 8, 20):
        now = NOW + timedelta(days=days)
        app.store.tidy_signups(now)
        assert imported(app, text, Terms(LIKE), now=now).landed == {Landing.WAITING: 1}
    assert letter.signup_id == 1


def test_the_letter_says_where_the_address_comes_from(tmp_path: Path) -> None:
    """It is no answer to a form, and its link subscribes with the settings of the list."""
    mailer = EmlFolder(tmp_path / "mails")
    with running(tmp_path, mailer=mailer) as app:
        imported(app, "email\nada@example.org\n", Terms(LIKE))

        async def reaches(domain: str) -> bool:
            return True

        asyncio.run(mailroom.send_letters(app, lambda: NOW, reaches=reaches))
        (mail,) = (tmp_path / "mails").glob("*.eml")
        assert b"stood on a mailing list" in mail.read_bytes()
        asked = app.store.signup(1)
        assert asked
        assert asked.form == INVITATION
        ada = app.store.confirm(1, NOW)
        assert ada
        assert ada.profile == LIKE.profile
        (proof,) = app.store.consents(ada.id)
        assert proof["form"] == INVITATION


def test_o1_who_never_confirmed_there_is_asked_whatever_the_operator_says(app: App) -> None:
    """An unconfirmed row has no proof to bring along."""
    text = "email,status\nada@example.org,unconfirmed\n"
    assert imported(app, text).landed == {Landing.ASKED: 1}


def test_u8_an_import_revives_nobody_who_left(app: App) -> None:
    """In whatever spelling the address comes, and with whatever proof."""
    for email in ("ada@example.org", "Bob@bücher.example"):
        imported(app, f"email\n{email}\n")
    app.store.set_state(one(app).id, SubscriberState.UNSUBSCRIBED, NOW)
    bob = one(app, "Bob@xn--bcher-kva.example")
    app.store.set_state(bob.id, SubscriberState.UNSUBSCRIBED, NOW)
    text = "email\nADA@Example.org\nada@example.org\nbob@XN--BCHER-KVA.example\n"
    tally = imported(app, text)
    assert (tally.landed, tally.repeated) == ({Landing.UNSUBSCRIBED: 2}, 1)
    assert {each.state for each in app.store.subscribers()} == {SubscriberState.UNSUBSCRIBED}


@pytest.mark.parametrize("reason", list(Reason))
def test_n8_who_is_suppressed_here_stays_so_and_it_is_said_why(app: App, reason: Reason) -> None:
    """The row of a person who is long gone is known by its hash."""
    app.store.suppress("ada@example.org", reason, "", NOW)
    tally = imported(app, "email\nAda@example.org\n")
    assert (tally.landed, tally.held) == ({Landing.SUPPRESSED: 1}, {reason: 1})
    assert app.store.subscribers() == []


def test_u8_whoever_erased_their_data_is_not_brought_back(app: App) -> None:
    """Nothing of them is known but the hash."""
    imported(app, "email\nada@example.org\n")
    app.store.erase(one(app).id, NOW)
    tally = imported(app, "email\nada@example.org\n")
    assert (tally.landed, tally.held) == ({Landing.SUPPRESSED: 1}, {Reason.LEFT: 1})


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("unsubscribed", Reason.LEFT),
        ("blocklisted", Reason.LEFT),
        ("disabled", Reason.BLOCKED),
        ("bounced", Reason.BOUNCED),
        ("suppressed", Reason.FAILING),
        ("complained", Reason.COMPLAINED),
    ],
)
def test_who_left_there_comes_onto_the_suppression_list(
    app: App, state: str, reason: Reason
) -> None:
    """Nobody is added, and twice the same changes nothing."""
    text = f"email,state\nada@example.org,{state}\n"
    assert imported(app, text).landed == {Landing.STOPPED: 1}
    held = app.store.suppression("ada@example.org")
    assert held
    assert held.reason is reason
    assert app.store.subscribers() == []
    assert imported(app, text).landed == {Landing.STOPPED_BEFORE: 1}
    assert app.store.suppression("ada@example.org") == held


def test_a_whole_list_may_be_of_those_who_left(app: App) -> None:
    """It needs no profile."""
    assert imported(app, "email\nada@example.org\n", Terms(gone=True)).landed == {
        Landing.STOPPED: 1
    }
    assert imported(app, "email\nada@example.org\n").landed == {Landing.SUPPRESSED: 1}


def test_who_left_there_since_the_last_import_is_mailed_no_more(app: App) -> None:
    """The same person in another case, too; the tally names them."""
    imported(app, "email\nada@example.org\n")
    tally = imported(app, "email,state\nADA@example.org,unsubscribed\n")
    assert (tally.landed, tally.ended) == ({Landing.ENDED: 1}, ["ADA@example.org"])
    assert one(app).state is SubscriberState.UNSUBSCRIBED


def test_who_was_asked_and_left_there_since_gets_no_letter(app: App) -> None:
    """The letter that waits says nothing any more, and its link works for nobody."""
    imported(app, "email\nada@example.org\n", Terms(LIKE))
    imported(app, "email,state\nada@example.org,unsubscribed\n")
    assert app.store.signup(1) is None


def test_who_confirmed_here_by_themselves_is_not_ended_by_another_list(app: App) -> None:
    """They may have left there because they came here."""
    assert app.store.confirm(sign_up(app), NOW)
    text = "email,state\nada@example.org,unsubscribed\n"
    assert imported(app, text).landed == {Landing.KEPT: 1}
    assert one(app).state is SubscriberState.ACTIVE
    assert app.store.suppression("ada@example.org") is None


def test_a_row_that_says_no_counts_before_every_other(app: App) -> None:
    """Wherever in the file it stands."""
    rows = ["ada@example.org,active", "Ada@example.org,unsubscribed", "ada@example.org,"]
    for text in ("\n".join(rows), "\n".join(reversed(rows))):
        tally = imported(app, f"email,state\n{text}\n", dry=True)
        assert (tally.landed, tally.repeated) == ({Landing.STOPPED: 1}, 2)


def test_who_is_here_keeps_their_settings(app: App) -> None:
    """Those of the store, those of the config, and those who have asked and not confirmed yet."""
    app.store.put_subscriber(subscriber(origin=Origin.STORE), NOW)
    sign_up(app, "bob@example.org")
    before = one(app)
    tally = imported(app, "email\nada@example.org\nbob@example.org\n", Terms(LIKE))
    assert tally.landed == {Landing.HERE: 1, Landing.WAITING: 1}
    assert one(app) == before
    asked = app.store.signup(1)
    assert asked
    assert asked.form == "form"


def test_whom_the_operator_removed_an_import_may_bring_back(app: App) -> None:
    """It was the operator's word, and so is this."""
    imported(app, "email\nada@example.org\n")
    app.store.set_state(one(app).id, SubscriberState.REMOVED, NOW)
    assert imported(app, "email\nada@example.org\n").landed == {Landing.ADDED: 1}
    assert one(app).state is SubscriberState.ACTIVE


def content(app: App) -> list[str]:
    """All that stands in the database."""
    with closing(sqlite3.connect(app.folder / "digest.db")) as db:
        return list(db.iterdump())


MIXED = """\
email,state,keywords
ada@example.org,active,rivers
bob@example.org,unsubscribed,
cyd@example.org,pending,lakes
dan@example.org,,bad load=two
Ada@Example.org,active,lakes
eve@example.org,bounced,
"""


def test_a_dry_run_counts_the_same_and_changes_nothing(app: App) -> None:
    """Not a byte of the database, and not the file beside it."""
    before = content(app)
    dry = imported(app, MIXED, Terms(consent="old list"), dry=True)
    assert content(app) == before
    assert not (app.folder / "digest.db.suppressed").exists()
    assert imported(app, MIXED, Terms(consent="old list")) == dry
    assert dry.landed == {Landing.ADDED: 1, Landing.STOPPED: 2, Landing.ASKED: 1}
    assert (dry.repeated, dry.invalid) == (1, 1)
    assert dry.faults[0].line == 5
    assert 'keywords "bad load": a weight is a number' in dry.faults[0].why


def test_a_run_that_was_cut_off_is_run_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is found done, and the rest is done; a third run changes nothing."""
    monkeypatch.setattr(moving, "BATCH", 3)
    text = "email,state\n" + "".join(
        f"a{n}@example.org,{'bounced' if n % 3 == 0 else ''}\n" for n in range(10)
    )
    path = app.folder / "people.csv"
    path.write_text(text, "utf-8")

    def cut_off(more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move_in(app, open_roster(path), VOUCHED, NOW, done=cut_off)
    assert len(app.store.subscribers()) == 2
    tally = imported(app, text)
    assert tally.landed == {
        Landing.HERE: 2,
        Landing.STOPPED_BEFORE: 1,
        Landing.ADDED: 4,
        Landing.STOPPED: 3,
    }
    assert imported(app, text).landed == {Landing.HERE: 6, Landing.STOPPED_BEFORE: 4}


def test_nobody_is_added_without_anything_to_read(app: App) -> None:
    """A list that says nothing of it is refused as a whole, before anything is changed."""
    text = "email,state\nbob@example.org,unsubscribed\nada@example.org,\n"
    with pytest.raises(ConfigError, match=r"people\.csv --profile PROFILE"):
        imported(app, text, Terms(consent="x"))
    assert app.store.suppression("bob@example.org") is None
    with pytest.raises(ConfigError, match="the profile needs a keyword"):
        imported(app, text, Terms(subscriber(profile=profile(keywords={}))))
    tally = imported(app, "email,keywords\nada@example.org,\n", Terms(consent="x"))
    assert "`--profile` gives one" in tally.faults[0].why


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ('{"keywords": {"\\ud800 x": 1}}', "holds half of a character (U+D800)"),
        ('{"keywords": {"x": NaN}}', "a weight is a number"),
        ('{"keywords": 7}', "must be a table of term = weight"),
        ('{"keywords": ["x"], "timezone": ["x"]}', "timezone: must be text"),
        ('{"keywords": ' + '{"a": ' * 900 + "1" + "}" * 901, ""),
    ],
)
def test_hostile_settings_of_a_row_are_its_fault_alone(
    app: App, attributes: str, told: str
) -> None:
    """What JSON can hold and a profile cannot; the other rows come in."""
    quoted = attributes.replace('"', '""')
    text = f'email,attributes\nbad@example.org,"{quoted}"\nada@example.org,\n'
    tally = imported(app, text)
    assert (tally.landed, tally.invalid) == ({Landing.ADDED: 1}, 1)
    assert told in tally.faults[0].why


def test_a_pause_ends_when_it_would_have_ended_there(app: App) -> None:
    """One that is over already is none."""
    later = (NOW + timedelta(days=3)).isoformat()
    text = f"email,state,paused_until\nada@example.org,paused,{later}\n"
    text += "bob@example.org,paused,2020-01-01\n"
    imported(app, text)
    assert app.store.paused_until(one(app).id) == NOW.astimezone(UTC) + timedelta(days=3)
    assert one(app, "bob@example.org").state is SubscriberState.ACTIVE


def test_an_import_counts_against_no_limit_of_the_form(app: App) -> None:
    """Visitors can sign up while hundreds are asked."""
    imported(app, "email\n" + "".join(f"a{n}@example.org\n" for n in range(300)), Terms(LIKE))
    asked = Signup(subscriber(), "form", "", NOW, "address", "network")
    assert app.store.sign_up(asked, SignupLimits(1, 1), "example.org", NOW)


GREATEST = """
import resource, sys
from pathlib import Path
from digest.moving import Terms, move_in
from digest.roster import open_roster
from tests.running import running
from tests.samples import NOW
with running(Path(sys.argv[1])) as app:
    tally = move_in(app, open_roster(Path(sys.argv[2])), Terms(consent="old list"), NOW, dry=True)
    print(*tally.landed.values(), tally.invalid)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_list_of_any_length_takes_the_memory_of_a_short_one(tmp_path: Path) -> None:
    """100,000 rows, some of them hostile, take less than 20 MB more than 2,000 do."""
    greatest = []
    for rows in (2_000, 100_000):
        path = tmp_path / "people.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("email,name,keywords\n")
            for n in range(rows):
                file.write(f"person{n}@example.org,Person {n},topic {n % 50}=2\n")
                if n % 1000 == 0:
                    file.write(f"bad{n},{'x' * 5000},\n")
        done = subprocess.run(
            [sys.executable, "-c", GREATEST, tmp_path, path],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
        )
        counts, kilobytes = done.stdout.splitlines()
        assert counts == f"{rows} {rows // 1000}"
        greatest.append(int(kilobytes))
    assert greatest[1] - greatest[0] < 20_000
