"""Long waits for the services whose tests cannot hand in timeouts yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.http.client import InternalClient
from tests.patience import PATIENT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _patient_calls() -> Iterator[None]:
    """Keep a slow machine from looking like an outage of another service."""
    defaults = {**(InternalClient.call.__kwdefaults__ or {}), "timeout": PATIENT_SECONDS}
    with pytest.MonkeyPatch.context() as patient:
        patient.setattr(InternalClient.call, "__kwdefaults__", defaults)
        patient.setattr("services.authz.follower.CALL_SECONDS", PATIENT_SECONDS)
        yield
