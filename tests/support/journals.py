"""Journals for tests that need no index of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.bus.local import LocalBus
from shared.clock import SystemClock
from shared.journal import Journal
from shared.journal.relay import Relay
from tests.patience import PATIENT
from tests.support.journal_keys import signer

if TYPE_CHECKING:
    from shared.mongo import DbClient


def journal_of(client: DbClient, name: str) -> Journal:
    """A process of the source `team`."""
    database = client[name]
    relay = Relay(database, LocalBus(timeouts=PATIENT), holder="tests", clock=SystemClock())
    return Journal(
        client,
        database,
        source="team",
        signer=signer("team"),
        relay=relay,
        clock=SystemClock(),
        timeouts=PATIENT,
    )
