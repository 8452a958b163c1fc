"""How long may a service under test wait for its surroundings?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.http.client import InternalClient

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENT = 60.0


@pytest.fixture(autouse=True)
def _a_slow_machine_is_no_outage() -> Iterator[None]:
    """Wait long for what only the machine makes late.

    Where a test plants an outage that is waited for, it shortens that wait itself.
    """
    with pytest.MonkeyPatch.context() as patient:
        for work, limit in ((InternalClient.call, "timeout"),):
            patient.setattr(work, "__kwdefaults__", {**(work.__kwdefaults__ or {}), limit: PATIENT})
        for name in ("services.authz.follower.CALL_SECONDS",):
            patient.setattr(name, PATIENT)
        yield
