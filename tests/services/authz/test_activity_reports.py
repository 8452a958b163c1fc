"""The reports of activity while team does not take them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from services.authz.adapters.activity_reports import ActivityReports
from shared.activity import RecentActivity
from shared.http.client import InternalClient
from shared.problems import Unavailable
from tests.clocks import SetClock
from tests.patience import PATIENT
from tests.support.service import FAR

if TYPE_CHECKING:
    import pytest


class Away(InternalClient):
    """The calls of a team that does not answer until `back`."""

    def __init__(self) -> None:
        self.back = False

    async def call(self, *args: Any, **more: Any) -> Any:
        if not self.back:
            raise Unavailable


async def test_a_team_that_takes_no_activity_and_its_return_make_few_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client = Away()
    activity = RecentActivity()
    clock = SetClock()
    reports = ActivityReports(activity, client, timeouts=PATIENT, seconds_now=clock.boottime)
    for number in range(5):
        clock.move(PATIENT.activity + 1)
        client.back = number > 2
        activity.note("acc_1", "usr_1", FAR)
        await reports.send()
    assert caplog.messages == [
        "Team's intake of activity is away.",
        "Team's intake of activity is still away.",
        "Team's intake of activity is back.",
    ]
