"""What the ledger keeps of a receipt, and rows from before it kept as much."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta

from digest.model import Listing, Receipt, SourceRun, Standing
from digest.store.freeze import FRAME, FrameSnapshot, freeze, thaw
from tests.samples import FRAME as MAIL
from tests.samples import NOW, digest_of, listing, subscriber

TODAY = date(2026, 11, 20)
KEPT = listing("kept")
RUN = SourceRun(
    "arXiv",
    NOW,
    announced=239,
    read=239,
    new=180,
    joined=59,
    too_old=3,
    revised=2,
    undated=1,
    batch_on=TODAY,
    error="503",
    partly=True,
    unreadable=True,
    calendar="arxiv",
    list_on=TODAY,
    list_id="0f",
    list_at=NOW,
    longest_gap_s=86400,
    failing_since=NOW,
    retry_at=NOW + timedelta(hours=1),
    lists=2,
    standing=Standing.REST,
    reason="on Thanksgiving",
)
DIGEST = digest_of(subscriber(), KEPT, receipt=Receipt((RUN,), 180, 14, 1, 13, (("arXiv", 14),)))


def kept(number: int) -> Listing:
    """The only listing there is."""
    return KEPT


def test_q2_every_part_of_a_receipt_comes_back() -> None:
    """The sources' part from the frame, the person's own from the row: a retry says the same."""
    frame = FRAME.validate_json(FRAME.dump_json(FrameSnapshot(MAIL, (RUN,))))
    body = freeze(DIGEST).numbered([1])
    assert thaw(body, TODAY, mailed=True, frame=frame, listing=kept) == DIGEST
    assert not {name for name, value in asdict(RUN).items() if not value}, "a field is untried"


def test_q2_a_row_from_before_still_reads() -> None:
    """Rows and frames without the newer fields come back without what they never knew."""
    body = json.loads(freeze(DIGEST).numbered([1]))
    del body["matched_by"]
    old = json.loads(FRAME.dump_json(FrameSnapshot(MAIL, (RUN,))))
    first = ("source", "started_at", "announced", "read", "new", "joined", "too_old", "batch_on")
    old["sources"] = [{name: run[name] for name in first} for run in old["sources"]]
    frame = FRAME.validate_json(json.dumps(old))
    made = thaw(json.dumps(body), TODAY, mailed=True, frame=frame, listing=kept)
    run = SourceRun("arXiv", NOW, 239, 239, 180, 59, 3, TODAY)
    assert made == replace(DIGEST, receipt=Receipt((run,), 180, 14, 1, 13))
