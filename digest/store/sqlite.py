"""The store on one SQLite file."""

from __future__ import annotations

from pathlib import Path

from digest.store.backups import BackupVerbs
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
from digest.store.suppression import Hashes, unkeyed


class SqliteStore(
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
    BackupVerbs,
):
    """Every verb of `Store` on one SQLite file, made where it is missing.

    `hashes` makes the keyed hashes under which suppressed addresses are known.
    Raises: StoreError when the file cannot be used or was written by a newer version.
    """

    def __init__(self, path: Path, hashes: Hashes = unkeyed) -> None:
        super().__init__(path)
        self.hashes = hashes
        self.catch_up()
