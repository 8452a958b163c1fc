"""Tell team which members were active."""

import asyncio
import logging
import time
from collections.abc import Callable

from shared.activity import RecentActivity
from shared.contracts.calls.activity import (
    ACTIVITY,
    MAX_ACTIVE_MEMBERS,
    ActiveMember,
    ActivityReport,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.outage_log import OutageLog
from shared.problems import Refusal
from shared.timeouts import Timeouts

logger = logging.getLogger(__name__)


class ActivityReports:
    """Reports what was noted, in batches; what team does not take is lost."""

    def __init__(
        self,
        activity: RecentActivity,
        internal: InternalClient,
        *,
        timeouts: Timeouts,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._activity = activity
        self._internal = internal
        self._timeouts = timeouts
        self._outage = OutageLog(
            logger,
            "Team's intake of activity",
            effect="The last activity of some members is lost.",
            pause=timeouts.activity,
            seconds_now=seconds_now,
        )

    async def run(self) -> None:
        """Report again and again."""
        while True:
            await asyncio.sleep(self._timeouts.activity)
            await self.send()

    async def send(self) -> None:
        """Report what was noted since the last time."""
        seen = self._activity.take()
        for start in range(0, len(seen), MAX_ACTIVE_MEMBERS):
            members = tuple(
                ActiveMember(account_id=one.account_id, user_id=one.user_id, at=one.at)
                for one in seen[start : start + MAX_ACTIVE_MEMBERS]
            )
            try:
                await self._internal.call(ACTIVITY, Service.TEAM, ActivityReport(members=members))
            except Refusal as refusal:
                self._outage.away(refusal)
                return
            self._outage.back()
