"""The verbs that are written once for every database that speaks SQL."""

from __future__ import annotations

from digest.store.beats import BeatVerbs
from digest.store.browsing import BrowsingVerbs
from digest.store.catching_up import CatchingUp
from digest.store.desk import DeskVerbs
from digest.store.exporting import ExportVerbs
from digest.store.history import HistoryVerbs
from digest.store.keys import KeyVerbs
from digest.store.leases import LeaseVerbs
from digest.store.ledger import LedgerVerbs
from digest.store.letters import LetterVerbs
from digest.store.likes import LikeVerbs
from digest.store.moving import MovingVerbs
from digest.store.past import PastVerbs
from digest.store.returns import ReturnVerbs
from digest.store.searching import SearchingVerbs
from digest.store.signups import SignupVerbs
from digest.store.subscribers import SubscriberVerbs


class Verbs(
    BrowsingVerbs,
    SearchingVerbs,
    SubscriberVerbs,
    CatchingUp,
    LikeVerbs,
    HistoryVerbs,
    SignupVerbs,
    MovingVerbs,
    ReturnVerbs,
    LetterVerbs,
    PastVerbs,
    ExportVerbs,
    LedgerVerbs,
    LeaseVerbs,
    KeyVerbs,
    DeskVerbs,
    BeatVerbs,
):
    """Every verb of `Store` but copying; its full text and its connections are a database's own."""
