"""A probe that has arrived: who signed which fields, and the receiver's verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from digest.doctor.finding import Finding, Level
from digest.doctor.received import NEEDED, received_findings
from digest.errors import DigestError

GOOD = "mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=pass\r\n header.d=x; dmarc=pass"


def signature(fields: Sequence[str] = NEEDED, domain: str = "example.org", more: str = "") -> str:
    """A signature over these fields, folded as servers fold it."""
    return f"v=1; a=rsa-sha256; d={domain};\r\n\ts=relay; h={' :'.join(fields)};{more}\r\n b=xyz"


def judged(*signatures: str, verdict: str | None = GOOD) -> list[Finding]:
    """The findings on a mail with these signatures."""
    fields = [f"Authentication-Results: {verdict}"] if verdict else []
    fields += ["Authentication-Results: forged; dmarc=fail"]  # below the receiver's own
    fields += [f"DKIM-Signature: {one}" for one in signatures]
    fields += ["From: Paper digest <digest@example.org>", "List-Unsubscribe: <https://x.example>"]
    return received_findings("\r\n".join([*fields, "", "body"]).encode())


def test_a2_all_signed_and_passed_is_good() -> None:
    """By a signature of the sender's domain or of one below it, beside those of others."""
    found = judged(signature(), signature(["From"], "esp.example.net"))
    assert {one.level for one in found} == {Level.OK}
    assert len(found) == 4
    assert judged(signature(domain="mail.example.org"))[0].level is Level.OK


@pytest.mark.parametrize("field", NEEDED)
def test_a2_each_field_that_is_not_signed_is_named(field: str) -> None:
    """From and those of one-click are errors, the rest warnings."""
    found = judged(signature([one for one in NEEDED if one != field]))[0]
    grave = field in {"From", "List-Unsubscribe", "List-Unsubscribe-Post"}
    assert found.level is (Level.ERROR if grave else Level.WARNING)
    assert found.found.endswith(f"does not sign {field}")


def test_a2_a_body_that_is_signed_in_part() -> None:
    """Anybody could add to it."""
    assert judged(signature(more=" l=100;"))[0].level is Level.ERROR


@pytest.mark.parametrize("signatures", [[], [signature(domain="esp.example.net")], ["nonsense"]])
def test_a2_no_signature_of_ours(signatures: list[str]) -> None:
    """That of a provider alone counts nothing for From."""
    found = judged(*signatures)[0]
    assert (found.level, "no signature of example.org" in found.found) == (Level.ERROR, True)


@pytest.mark.parametrize("result", ["fail", "softfail", "none", "temperror", "permerror"])
def test_a_verdict_that_is_no_pass(result: str) -> None:
    """Each method by itself."""
    found = judged(signature(), verdict=GOOD.replace("spf=pass", f"spf={result}"))
    assert [one.level.value for one in found] == ["ok", "error", "ok", "ok"]
    assert found[1].found == f"SPF: {result}"


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\xff", b"Subject: x\r\n\r\n", b"From: a@example.org\r\n\r\nList-Unsubscribe: x"],
)
def test_what_is_no_mail_of_ours_is_refused(raw: bytes) -> None:
    """With a word on how to save one."""
    with pytest.raises(DigestError, match="no mail of ours"):
        received_findings(raw)


def test_a_receiver_without_a_verdict() -> None:
    """As a mailbox on the own server may be."""
    head = "From: digest@example.org\r\nList-Unsubscribe: <x>\r\n"
    found = received_findings(f"{head}DKIM-Signature: {signature()}\r\n\r\n".encode())
    assert [one.level.value for one in found] == ["ok", "warning"]
