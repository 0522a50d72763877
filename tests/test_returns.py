"""What follows when something comes back, in a service with subscribers, ledger and clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest import jobs
from digest.app import App
from digest.mailer import Relay, SmtpMailer
from digest.model import Delivery, Refused, SubscriberState
from digest.returns import is_ours, refused, take_back
from digest.store import Signup, SignupLimits
from digest.store.returned import Effect, Reason, What
from digest.tokens import Tokens
from tests.bounces.mails import delivery_report, feedback, group, returned, vacation
from tests.running import announce, delivery_of, running
from tests.samples import NOW, listing, subscriber
from tests.smtp_server import mail_server

ADA = "ada@example.org"
DAY = timedelta(days=1)
BOUNCES = 'bounce_domain = "bounces.example.org"'


@contextmanager
def service(folder: Path, *emails: str, mail: str = BOUNCES) -> Iterator[App]:
    """A service whose subscribers have a digest of today."""
    people = [subscriber(email) for email in emails or (ADA,)]
    with running(folder, *people, mail=mail) as app:
        mail_on(app, NOW)
        yield app


def mail_on(app: App, now: datetime) -> None:
    """Prepare a digest for everybody at that time."""
    announce(app, listing(f"Flash attention of {now:%d %B}"), at=now)
    jobs.prepare(app, now, at_once=True)


def state(app: App, email: str = ADA) -> SubscriberState:
    """How a subscriber stands."""
    one = app.store.subscriber(email)
    assert one
    return one.state


def path_of(app: App, row: Delivery) -> str:
    """The address that bounces of a mail go to."""
    return app.return_path("d", row.id, row.message_id)


def bounce(app: App, *groups: str, email: str = ADA, now: datetime = NOW) -> bytes:
    """A report on that subscriber's mail of a day, sent to its own address."""
    to = path_of(app, delivery_of(app, email, now))
    return delivery_report(*(groups or (group(email),)), to=to)


def test_n1_each_mail_has_its_address_and_keeps_it(tmp_path: Path) -> None:
    """Short enough for a local part, of one case, the same for a retry, another for each mail."""
    with service(tmp_path, ADA, "mary@example.org") as app:
        row, other = delivery_of(app, ADA), delivery_of(app, "mary@example.org")
        path = path_of(app, row)
        local, _, domain = path.partition("@")
        assert domain == "bounces.example.org"
        assert local.startswith("bounce+")
        assert len(local) <= 64
        assert path == path.lower() == path_of(app, row) != path_of(app, other)
        assert is_ours(app, path)
        assert is_ours(app, f"<{path.upper()}>")
        assert app.return_path("l", row.id, row.message_id) != path


def test_n1_without_a_bounce_domain_bounces_go_to_the_sender(tmp_path: Path) -> None:
    """Who has set nothing up gets what was there before."""
    with service(tmp_path, mail="") as app:
        assert path_of(app, delivery_of(app, ADA)) == "digest@example.org"
        assert not is_ours(app, "digest@example.org")


def test_n3_a_dead_address_is_suppressed_at_once(tmp_path: Path) -> None:
    """What waits is cancelled, nothing further is prepared, and the list says why."""
    with service(tmp_path) as app:
        verdict = take_back(app, bounce(app), NOW)
        assert (verdict.what, verdict.effect) == (What.HARD, Effect.SUPPRESSED)
        assert state(app) is SubscriberState.SUPPRESSED
        assert delivery_of(app, ADA).state == "cancelled"
        assert not app.store.due(NOW + DAY, 10, at_once=True)
        known = app.store.suppression("Ada@Example.org")
        assert known
        assert known.reason is Reason.BOUNCED
        assert known.note.startswith("5.1.1")


def test_n3_soft_bounces_add_up_over_days(tmp_path: Path) -> None:
    """Four days count, the fifth ends it; several of a day are one."""
    with service(tmp_path) as app:
        for day in range(5):
            now = NOW + day * DAY
            mail_on(app, now)
            raw = bounce(app, group(ADA, status="5.2.2"), now=now)
            effect = take_back(app, raw, now).effect
            assert effect is (Effect.SUPPRESSED if day == 4 else Effect.COUNTED)
            assert take_back(app, raw, now + DAY / 2).effect is Effect.REPEATED
        assert state(app) is SubscriberState.SUPPRESSED
        known = app.store.suppression(ADA)
        assert known
        assert known.reason is Reason.FAILING


def test_n3_points_fade_after_a_week(tmp_path: Path) -> None:
    """Four, eight quiet days, four: never five in a run."""
    with service(tmp_path) as app:
        for day in (0, 1, 2, 3, 12, 13, 14, 15):
            now = NOW + day * DAY
            mail_on(app, now)
            take_back(app, bounce(app, group(ADA, status="4.4.7"), now=now), now)
        assert state(app) is SubscriberState.ACTIVE


@pytest.mark.parametrize(
    "fields",
    [{"action": "delayed", "status": "4.4.1"}, {"status": "5.7.1"}, {"action": "relayed"}],
)
def test_n2_delays_policy_and_success_change_nothing(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    """Not a point for any of them (Q11)."""
    with service(tmp_path) as app:
        assert take_back(app, bounce(app, group(ADA, **fields)), NOW).effect is None
        assert not app.store.returned(NOW - DAY)


def test_n4_a_dead_address_behind_an_alias_is_not_the_aliass(tmp_path: Path) -> None:
    """One of a team is gone: the team's address gets a point and no end."""
    with service(tmp_path) as app:
        raw = bounce(app, group("gone@example.net", original=ADA))
        assert take_back(app, raw, NOW).effect is Effect.COUNTED
        assert state(app) is SubscriberState.ACTIVE


def forgeries(app: App) -> dict[str, bytes]:
    """Reports that name the subscriber and do not know the token."""
    row = delivery_of(app, ADA)
    path = path_of(app, row)
    token = path.partition("@")[0].removeprefix("bounce+")
    flipped = token[:-1] + ("a" if token[-1] != "a" else "b")
    foreign = Tokens(["another secret"]).bounce("d", row.id, row.message_id)
    by_id = returned(message_id=row.message_id)
    return {
        "no token": delivery_report(group(ADA), to="bounce@bounces.example.org"),
        "flipped": delivery_report(group(ADA), to=path.replace(token, flipped)),
        "foreign": delivery_report(group(ADA), to=f"bounce+{foreign}@bounces.example.org"),
        "other domain": delivery_report(group(ADA), to=path.replace("bounces.", "evil.")),
        "letter": delivery_report(group(ADA), to=app.return_path("l", row.id, row.message_id)),
        "id alone": delivery_report(group(ADA), to="x@bounces.example.org", back=by_id),
        "complaint": feedback("abuse", f"Original-Rcpt-To: {ADA}"),
    }


@pytest.mark.parametrize(
    "which",
    ["no token", "flipped", "foreign", "other domain", "letter", "id alone", "complaint"],
)
def test_n4_forged_reports_suppress_nobody(tmp_path: Path, which: str) -> None:
    """The address in a report is what anybody could write there."""
    with service(tmp_path) as app:
        assert take_back(app, forgeries(app)[which], NOW).effect is None
        assert state(app) is SubscriberState.ACTIVE
        assert app.store.suppression(ADA) is None


def test_n4_a_token_of_a_row_that_is_another_now_says_nothing(tmp_path: Path) -> None:
    """Numbers may be given again, after a backup was restored for one."""
    with service(tmp_path) as app:
        row = delivery_of(app, ADA)
        stale = app.return_path("d", row.id, "what-it-was-before@example.org")
        assert not is_ours(app, stale)
        assert take_back(app, delivery_report(group(ADA), to=stale), NOW).effect is None


def test_n5_automatic_replies_change_nothing(tmp_path: Path) -> None:
    """They come to the token's address, and their words look like a bounce."""
    with service(tmp_path) as app:
        raw = vacation(path_of(app, delivery_of(app, ADA)), Auto_Submitted="auto-replied")
        assert take_back(app, raw, NOW).effect is None
        assert not app.store.returned(NOW - DAY)


def test_n6_the_same_report_counts_once(tmp_path: Path) -> None:
    """A process that was killed before it let go of the mail reads it again."""
    with service(tmp_path) as app:
        raw = bounce(app)
        take_back(app, raw, NOW)
        assert app.store.lift(ADA, NOW) is None
        assert take_back(app, raw, NOW + DAY).effect is Effect.REPEATED
        assert state(app) is SubscriberState.ACTIVE


@pytest.mark.parametrize("kind", ["abuse", "fraud"])
def test_f1_a_complaint_unsubscribes_and_suppresses(tmp_path: Path, kind: str) -> None:
    """Found by our Message-ID in the returned part: the reader is masked (F2)."""
    with service(tmp_path) as app:
        back = returned(to="redacted", message_id=delivery_of(app, ADA).message_id)
        assert take_back(app, feedback(kind, back=back), NOW).effect is Effect.SUPPRESSED
        assert state(app) is SubscriberState.UNSUBSCRIBED
        known = app.store.suppression(ADA)
        assert known
        assert known.reason is Reason.COMPLAINED


def test_f2_a_complaint_is_found_by_the_address_that_the_mail_came_from(tmp_path: Path) -> None:
    """All but the envelope sender was taken out of the report."""
    with service(tmp_path) as app:
        path = path_of(app, delivery_of(app, ADA))
        raw = feedback("abuse", f"Original-Mail-From: <{path}>", back=returned("", "", "x@y"))
        assert take_back(app, raw, NOW).effect is Effect.SUPPRESSED


def test_f1_an_opt_out_unsubscribes_and_other_kinds_do_nothing(tmp_path: Path) -> None:
    """Who opts out may be invited again; not-spam and the like blame nobody."""
    with service(tmp_path) as app:
        back = returned(message_id=delivery_of(app, ADA).message_id)
        for kind in ("not-spam", "auth-failure", "virus", "other", ""):
            assert take_back(app, feedback(kind, back=back), NOW).effect is None
        assert state(app) is SubscriberState.ACTIVE
        raw = feedback("opt-out", back=back)
        assert take_back(app, raw, NOW).effect is Effect.UNSUBSCRIBED
        assert state(app) is SubscriberState.UNSUBSCRIBED
        assert app.store.suppression(ADA) is None


def test_without_a_bounce_domain_the_id_tells_which_mail_bounced(tmp_path: Path) -> None:
    """There is no token then; the returned part names a mail that stands in the ledger."""
    with service(tmp_path, mail="") as app:
        back = returned(message_id=delivery_of(app, ADA).message_id)
        assert take_back(app, delivery_report(group(ADA), back=back), NOW).what is What.HARD


def test_q11_refusals_at_once_count_as_bounces(tmp_path: Path) -> None:
    """5.1.1 suppresses, a bare 550 is a point, what is about the message is nothing."""
    with service(tmp_path, ADA, "mary@example.org", "emmy@example.org") as app:
        for email, code, reply in (
            (ADA, 550, "550 5.1.1 no such user"),
            ("mary@example.org", 550, "550 go away"),
            ("emmy@example.org", 554, "554 5.6.0 odd message"),
        ):
            refused(app, "d", delivery_of(app, email).id, Refused(code, reply), NOW)
        assert state(app) is SubscriberState.SUPPRESSED
        assert state(app, "mary@example.org") is SubscriberState.ACTIVE
        assert app.store.returned(NOW - DAY) == {What.HARD: 1, What.SOFT: 1}


def test_n3_a_flood_of_dead_addresses_is_the_receivers(tmp_path: Path) -> None:
    """A receiver calls half its users unknown: all stay, with a point each; another is not hit."""
    emails = [f"reader{number}@big.example" for number in range(16)]
    with service(tmp_path, *emails, ADA) as app:
        effects = [take_back(app, bounce(app, email=email), NOW).effect for email in emails]
        assert effects[:9] == [Effect.SUPPRESSED] * 9
        assert effects[9:] == [Effect.FLOOD] * 7
        assert {state(app, email) for email in emails} == {SubscriberState.ACTIVE}
        assert not app.store.suppressions()
        assert take_back(app, bounce(app), NOW).effect is Effect.SUPPRESSED


def test_n8_suppression_survives_erasure_and_import(tmp_path: Path) -> None:
    """The row is gone, the keyed hash is not, and no address is left in the file."""
    with service(tmp_path) as app:
        take_back(app, bounce(app), NOW)
        one = app.store.subscriber(ADA)
        assert one
        app.store.erase(one.id, NOW)
        known = app.store.suppression(ADA)
        assert known
        assert known.reason is Reason.LEFT
        app.store.sync_file(app.config.subscribers, NOW)
        assert app.store.subscriber(ADA) is None
        assert all(ADA not in str(row) for row in app.store.suppressions())


def confirm(app: App, now: datetime = NOW) -> bool:
    """Sign up as a visitor and press the button in the letter, if one comes."""
    asked = Signup(subscriber(ADA), "form", "", now, "hash", "network")
    assert app.store.sign_up(asked, SignupLimits(100, 100), "example.org", now)
    letters = app.store.claim_letters(now, 10, 60, "worker")
    signup_id = next((one.signup_id for one in letters if one.signup_id), None)
    return signup_id is not None and app.store.confirm(signup_id, now) is not None


def test_n8_a_confirmed_sign_up_lifts_a_bounce(tmp_path: Path) -> None:
    """Whoever reads the letter has the mailbox; the points are gone as well."""
    with service(tmp_path) as app:
        take_back(app, bounce(app), NOW)
        assert confirm(app)
        assert state(app) is SubscriberState.ACTIVE
        assert app.store.suppression(ADA) is None


def test_n8_after_a_complaint_not_even_a_letter_goes_until_the_operator_agrees(
    tmp_path: Path,
) -> None:
    """Then the person's own sign-up is needed as well; the operator's word alone adds nobody."""
    with service(tmp_path) as app:
        back = returned(message_id=delivery_of(app, ADA).message_id)
        take_back(app, feedback("abuse", back=back), NOW)
        assert not confirm(app)
        left = app.store.lift(ADA, NOW)
        assert left
        assert left.reason is Reason.LEFT
        assert state(app) is SubscriberState.UNSUBSCRIBED
        assert confirm(app, NOW + DAY)
        assert state(app) is SubscriberState.ACTIVE


def test_n8_a_new_key_forgets_nobody(tmp_path: Path) -> None:
    """The list knows an address by the older key as long as that stands in the file."""
    with service(tmp_path) as app:
        take_back(app, bounce(app), NOW)
    secret = tmp_path / "secret.key"
    secret.write_text("a-newer-secret\n" + secret.read_text())
    with running(tmp_path, subscriber(ADA), mail=BOUNCES) as app:
        known = app.store.suppression(ADA)
        assert known
        assert app.store.lift(ADA, NOW) is None
        assert app.store.suppression(ADA) is None


def test_d2_the_log_names_no_address(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Also where a receiver repeats it in its words."""
    caplog.set_level(logging.DEBUG, logger="digest")
    words = f"550 5.7.1 <{ADA}> refused by policy"
    with service(tmp_path) as app:
        take_back(app, bounce(app, group(ADA, status="5.7.1", diagnostic=words)), NOW)
        take_back(app, delivery_report(group(ADA), to="nobody@example.org"), NOW)
        take_back(app, bounce(app), NOW)
    assert "return.policy" in caplog.text
    assert "return.read" in caplog.text
    assert ADA not in caplog.text


def test_d3_what_came_back_is_kept_for_60_days(tmp_path: Path) -> None:
    """The list itself stays, or the address would be mailed again."""
    with service(tmp_path) as app:
        take_back(app, bounce(app), NOW)
        assert jobs.tidy(app, NOW + 59 * DAY)["returns"] == 0
        assert jobs.tidy(app, NOW + 61 * DAY)["returns"] == 1
        assert app.store.suppression(ADA)


def test_n1_q11_on_a_real_mail_server(tmp_path: Path) -> None:
    """Each mail comes from its own address, the same when tried again; 5.1.1 to RCPT suppresses."""
    mary = "mary@example.org"

    def script(step: str, before: int) -> bytes | None:
        if step == f"RCPT <{ADA}>":
            return b"550 5.1.1 no such user"
        return b"451 4.3.0 later" if step == f"RCPT <{mary}>" and not before else None

    async def run() -> list[str]:
        async with mail_server(script) as server:
            mailer = SmtpMailer(Relay("127.0.0.1", server.port, "none"))
            people = subscriber(ADA), subscriber(mary)
            with running(tmp_path, *people, mail=BOUNCES, mailer=mailer) as app:
                mail_on(app, NOW)
                await jobs.deliver(app, lambda: NOW)
                await jobs.deliver(app, lambda: NOW + DAY / 24)
                assert state(app) is SubscriberState.SUPPRESSED
                assert state(app, mary) is SubscriberState.ACTIVE
                assert [mail.sender for mail in server.taken] == [
                    path_of(app, delivery_of(app, mary))
                ]
            return [asked for asked in server.commands if "bounce+" in asked]

    asked = asyncio.run(run())
    assert len({one for one in asked if asked.count(one) == 2}) == 1  # Mary's, twice the same
