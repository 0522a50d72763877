"""What is remembered of an address between two fetches."""

from __future__ import annotations

from datetime import timedelta

from digest.fetcher import Remembered
from tests.samples import NOW

YEAR = timedelta(days=365)


def test_what_a_clock_ahead_set_holds_nobody_up() -> None:
    """Waits last a day, a week after a 410; no look lies ahead; failures began by now."""
    for gone, longest in ((False, timedelta(days=1)), (True, timedelta(days=7))):
        failed = Remembered(retry_at=NOW + longest, failing_since=NOW + YEAR, gone=gone)
        assert failed.waits(NOW)
        assert not failed.waits(NOW - timedelta(seconds=1))
        assert failed.after_failure(NOW, "503").failing_since == NOW
    assert not Remembered(read_at=NOW + YEAR).rests(NOW, 3600)
    assert Remembered(read_at=NOW).rests(NOW, 3600)


def test_why_it_failed_is_kept_with_the_wait() -> None:
    """A run within the wait can tell the reason; memories of other versions are forgotten."""
    memory = Remembered().after_failure(NOW, "answered 404 Not Found")
    assert Remembered.from_json(memory.to_json()) == memory
    assert (memory.fault, memory.unanswered) == ("answered 404 Not Found", False)
    silent = Remembered().after_failure(NOW, "answered 503", unanswered=True)
    assert Remembered.from_json(silent.to_json()).unanswered
    assert Remembered.from_json('{"etag": "x", "colour": "red"}') == Remembered()


def test_waits_double_up_to_six_hours_and_begin_at_the_address_first_given() -> None:
    """However often it failed; the address it moved to may be the fault."""
    memory = Remembered(moved_to="https://example.org/moved", failures=30)
    later = memory.after_failure(NOW, "503")
    assert later.retry_at == NOW + timedelta(hours=6)
    assert later.moved_to == ""
    asked = memory.after_failure(NOW, "503", 10 * 86400)
    assert asked.retry_at == NOW + timedelta(days=1)
