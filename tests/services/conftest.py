"""How long may a service under test wait for its surroundings?"""

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
    """Wait long for what only the machine makes late.

    Where a test plants an outage that is waited for, it shortens that wait itself.
    """
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr("shared.mongo.TIMEOUT_MS", int(PATIENT * 1000))
        for work, limit in (
            (transact, "budget"),
            (InternalClient.call, "timeout"),
        ):
            patient.setattr(work, "__kwdefaults__", {**(work.__kwdefaults__ or {}), limit: PATIENT})
        for name in (
            "shared.bus.local.PUBLISH_SECONDS",
            "shared.journal.journal.TURN_SECONDS",
            "shared.leases.leases.PATIENCE_SECONDS",
        ):
            patient.setattr(name, PATIENT)
        yield
