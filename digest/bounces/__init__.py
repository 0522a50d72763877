"""What comes back for a mail: the bytes of a report in, a value out. Pure.

Owns the formats (delivery reports, complaint reports, vacation replies, and what flufl.bounce knows
of older ones), how bad a failure is, and how failures add up. Believes nothing: a report names
traces of the mail it is about, and whoever reads it asks whether one of them is ours.
Bounded in size, in parts and in time, whatever the bytes are.
"""

from digest.bounces.reading import (
    AutoReply,
    Bounce,
    Complaint,
    Failure,
    Other,
    Return,
    Traces,
    read_return,
)
from digest.bounces.scoring import (
    FADES_AFTER,
    LIMIT,
    is_flood,
    points,
)
from digest.bounces.severity import Severity, of_refusal, of_report

__all__ = [
    "FADES_AFTER",
    "LIMIT",
    "AutoReply",
    "Bounce",
    "Complaint",
    "Failure",
    "Other",
    "Return",
    "Severity",
    "Traces",
    "is_flood",
    "of_refusal",
    "of_report",
    "points",
    "read_return",
]
