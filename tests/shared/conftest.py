"""Waits of what the services share, in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.http.client import InternalClient
from tests.patience import PATIENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _a_slow_machine_is_no_outage() -> Iterator[None]:
    """Wait long for internal calls that only the machine makes late."""
    with pytest.MonkeyPatch.context() as patient:
        patient.setitem(InternalClient.call.__kwdefaults__ or {}, "timeout", PATIENT_SECONDS)
        yield
