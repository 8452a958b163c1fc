"""The background loops of each service while its database is away."""

from __future__ import annotations

import importlib
import logging
from dataclasses import replace

import pytest

from deploy.configuration import environment
from shared.bus.local import LocalBus
from shared.contracts.topology import Service
from shared.runtime.environment import load
from shared.runtime.supervisor import Supervisor
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.services.test_places import AT
from tests.support.journal_keys import generated_secrets
from tests.support.service import FAR
from tests.waiting import wait_for

HASTY = replace(
    DEFAULT_TIMEOUTS,
    database=0.05,
    transaction=0.1,
    deletion_poll=0.05,
    offer_poll=0.05,
    activity=0.05,
    history_poll=0.05,
    mail_poll=0.05,
    trim_poll=0.05,
    confirm_poll=0.05,
)
COMMON = {
    "Unsent rows wait.",
    "The journal is not trimmed.",
    "Sources keep their rows for this service.",
}
EFFECTS = {
    Service.IDENTITY: COMMON,
    Service.TEAM: COMMON
    | {
        "Documents of earlier replicas are not found.",
        "Deleted accounts keep their rows.",
        "Expired offers of an ownership are ended later.",
        "The last activity of some members is lost.",
        "Questions about the past take longer.",
    },
    Service.NOTIFICATION: COMMON | {"Due messages cannot be read."},
    Service.AUDIT: COMMON,
}
"""What the loops of each service with a database say; the reconciler asks the other services first,
and they are away, too."""


@pytest.mark.parametrize("service", EFFECTS)
async def test_a_database_that_is_away_crashes_no_background_loop(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name, value in environment(service, given=generated_secrets(), at=AT).items():
        monkeypatch.setenv(name, value)
    settings = load(importlib.import_module(f"services.{service}.settings").Settings)
    build = importlib.import_module(f"services.{service}.app").build
    app = build(settings, bus=LocalBus(), timeouts=HASTY)
    if service is Service.TEAM:
        app.public._ctx.activity.note("acc_1", "usr_1", FAR)

    def told() -> bool:
        effects = {vars(record).get("effect") for record in caplog.records}
        return effects >= EFFECTS[service] or crashed()

    def crashed() -> bool:
        return any(record.exc_info for record in caplog.records)

    supervisor = Supervisor(service)
    supervisor.start(app.tasks)
    try:
        await wait_for(told, what="a line of each loop")
    finally:
        await supervisor.stop()
        await app.stop()
    assert not crashed(), caplog.text
