"""How long may what the services share wait for its surroundings in a test?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.http.client import InternalClient
from shared.mongo import transact

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = 60.0


@pytest.fixture(autouse=True)
def _a_slow_machine_is_no_outage() -> Iterator[None]:
    """Wait long for what only the machine makes late; who tests a limit sets one of its own."""
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr("shared.mongo.TIMEOUT_MS", int(PATIENT * 1000))
        patient.setitem(transact.__kwdefaults__ or {}, "budget", PATIENT)
        patient.setitem(InternalClient.call.__kwdefaults__ or {}, "timeout", PATIENT)
        for limit in (
            "shared.bus.delivery.DRAIN_SECONDS",
            "shared.bus.local.PUBLISH_SECONDS",
            "shared.journal.journal.TURN_SECONDS",
            "shared.leases.leases.PATIENCE_SECONDS",
        ):
            patient.setattr(limit, PATIENT)
        yield
