"""The recorded reports of others, read as the notes beside them say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from digest import jobs
from digest.bounces import Bounce, Complaint, Other, Return, Severity, read_return
from digest.returns import take_back
from digest.store.returned import Reason
from tests.running import announce, delivery_of, running
from tests.samples import NOW, listing, subscriber

SHARED = Path(__file__).parents[2] / "../shared/payloads"
HERE = (SHARED / "expected.json").exists()
pytestmark = pytest.mark.skipif(not HERE, reason="the recordings are not on this machine")

EXPECTED = (
    {
        name: lists
        for name, lists in json.loads((SHARED / "expected.json").read_text("utf-8")).items()
        if name.startswith("bounces/")
    }
    if HERE
    else {}
)


def read(name: str) -> Return:
    """What a recording says."""
    return read_return((SHARED / name).read_bytes())


def failed(found: Return, *, final: bool) -> list[str]:
    """The addresses of its failures, each once."""
    failures = found.failures if isinstance(found, Bounce) else ()
    return sorted({one.recipient for one in failures if one.final is final})


@pytest.mark.parametrize("name", EXPECTED)
def test_n2_recorded_bounces_name_whom_they_did_not_reach(name: str) -> None:
    """Each recording gives the addresses of its own notes, as failed or as delayed."""
    found = read(name)
    assert failed(found, final=True) == sorted(EXPECTED[name]["permanent"])
    assert failed(found, final=False) == sorted(EXPECTED[name]["temporary"])


@pytest.mark.parametrize("name", EXPECTED)
def test_n3_no_recording_without_a_dead_address_code_is_hard(name: str) -> None:
    """Only x.1.1 and its like are hard; a report without a code never is."""
    found = read(name)
    for one in found.failures if isinstance(found, Bounce) else ():
        hard = one.severity is Severity.HARD
        assert hard is (one.final and one.status in {"5.1.1", "5.1.2", "5.1.10"}), one


COMPLAINTS = {
    "arf-01.eml": ("abuse", ()),
    "arf-01.crlf.eml": ("abuse", ()),
    "arf-02.eml": ("abuse", ("this-local-part-does-not-exist-on-yahoo@yahoo.com",)),
    "arf-12.eml": ("opt-out", ("user@example.com",)),
    "arf-14.eml": ("abuse", ("kijitora@y.example.com",)),
    "arf-22.eml": ("abuse", ("kijitora@example.com",)),
}


@pytest.mark.parametrize("name", COMPLAINTS)
def test_f1_recorded_complaints_have_their_kind_and_their_reader(name: str) -> None:
    """Kind and reader, also where the reader is masked or no feedback report is sent."""
    found = read(f"complaints_dsn/{name}")
    assert isinstance(found, Complaint)
    assert (found.kind, found.recipients) == COMPLAINTS[name]


def test_f1_two_readers_of_one_complaint() -> None:
    """Every Original-Rcpt-To is kept."""
    found = read("complaints_dsn/arf-16.eml")
    assert isinstance(found, Complaint)
    assert {"kijitora@example.com", "sironeko@example.com"} <= set(found.recipients)


def test_f1_a_report_on_authentication_is_no_complaint() -> None:
    """DMARC's failure reports come in the same form and blame nobody."""
    assert isinstance(read("complaints_dsn/arf-18.eml"), Other)


@pytest.mark.parametrize(
    ("name", "final", "severity"),
    [
        ("rfc3464-01.eml", True, Severity.HARD),
        ("rfc3464-07.eml", False, Severity.SOFT),
        ("rfc3464-34.eml", False, Severity.SOFT),
        ("rfc3464-36.eml", True, Severity.SOFT),
        ("rfc3464-51.eml", True, Severity.SOFT),
    ],
)
def test_n2_recorded_reports_are_as_bad_as_their_codes(
    name: str, final: bool, severity: Severity
) -> None:
    """One failure each: for good or not yet, hard or soft."""
    found = read(f"complaints_dsn/{name}")
    assert isinstance(found, Bounce)
    assert [(one.final, one.severity) for one in found.failures] == [(final, severity)]


def test_n2_a_report_of_success_is_no_bounce() -> None:
    """`deliverable` with 2.1.5 is what was asked for."""
    assert isinstance(read("complaints_dsn/rfc3464-28.eml"), Other)


RECORDED = sorted(
    f"{folder}/{one.name}"
    for folder in ("bounces", "complaints_dsn")
    for one in ((SHARED / folder).iterdir() if HERE else ())
)
DEAD = {
    "bounces/dsn_11.txt": "joem@example.com",
    "bounces/dsn_13.txt": "userx@example.com",
    "complaints_dsn/rfc3464-01.eml": "userunknown@bouncehammer.jp",
}
"""The recordings that say with a code that the very address does not exist."""


@pytest.mark.parametrize("name", RECORDED)
def test_n4_whatever_is_recorded_ends_nobodys_mail_but_of_who_is_meant(
    name: str, tmp_path: Path
) -> None:
    """Without a token nothing follows; with one a code for this address or a complaint has to."""
    raw, who = (SHARED / name).read_bytes(), DEAD.get(name, "ada@example.org")
    with running(tmp_path, subscriber(who), mail='bounce_domain = "b.example.org"') as app:
        announce(app, listing("Flash attention"))
        jobs.prepare(app, NOW, at_once=True)
        row = delivery_of(app, who)
        assert take_back(app, raw, NOW).effect is None
        assert app.store.suppression(who) is None
        take_back(app, raw, NOW, app.return_path("d", row.id, row.message_id))
        found = app.store.suppression(who)
        complained = name.split("/")[1] in {*COMPLAINTS, "arf-16.eml"} - {"arf-12.eml"}
        expected = Reason.COMPLAINED if complained else Reason.BOUNCED if name in DEAD else None
        assert (found and found.reason) == expected
