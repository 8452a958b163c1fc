"""Tell audit which decisions were denied."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from services.authz.domain.denials import DenialBatch, Denials
from shared.clock import Clock
from shared.contracts.calls.denials import (
    DENIALS,
    MAX_DENIALS,
    DenialCount,
    DenialReport,
    UndetailedDenials,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.outage_log import OutageLog
from shared.problems import Refusal
from shared.timeouts import Timeouts

logger = logging.getLogger(__name__)


class DenialReports:
    """Reports what was counted, batch after batch; a batch is repeated until audit has it."""

    def __init__(
        self,
        denials: Denials,
        internal: InternalClient,
        *,
        clock: Clock,
        timeouts: Timeouts,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._denials = denials
        self._internal = internal
        self._clock = clock
        self._pause = timeouts.denials
        self._life = secrets.token_hex(16)
        self._number = 0
        self._report: DenialReport | None = None
        """The batch that audit may not have yet."""
        self._outage = OutageLog(
            logger,
            "Audit's intake of denials",
            effect="Denied decisions are recorded later, and beyond a bound without detail.",
            seconds_now=seconds_now,
        )

    async def run(self) -> None:
        """Report again and again."""
        while True:
            await asyncio.sleep(self._pause)
            await self.send()

    async def close(self) -> None:
        """Report what is left, once."""
        self._denials.end()
        await self.send()

    async def send(self) -> None:
        """Report what is due, until nothing is or audit does not answer."""
        while True:
            report = self._report or self._next()
            if report is None:
                return
            self._report = report
            try:
                await self._internal.call(DENIALS, Service.AUDIT, report)
            except Refusal as refusal:
                self._outage.away(refusal)
                return
            self._report = None
            self._outage.back()

    def _next(self) -> DenialReport | None:
        batch = self._denials.take(self._clock.now(), limit=MAX_DENIALS)
        if not batch.counts and not batch.losses:
            return None
        self._number += 1
        return _report_of(batch, life=self._life, number=self._number)


def _report_of(batch: DenialBatch, *, life: str, number: int) -> DenialReport:
    return DenialReport(
        life=life,
        number=number,
        denials=tuple(
            DenialCount(
                account_id=denied.account_id,
                user_id=denied.user_id,
                permission=denied.permission,
                resource_id=denied.resource_id,
                project_id=denied.project_id,
                reason=denied.reason,
                number=times.number,
                first=times.first,
                last=times.last,
            )
            for denied, times in batch.counts
        ),
        undetailed=tuple(
            UndetailedDenials(
                account_id=account_id, number=times.number, first=times.first, last=times.last
            )
            for account_id, times in batch.losses
        ),
    )
