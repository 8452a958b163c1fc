"""Tell audit which decisions were counted: denials, and the allows that were drawn."""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from msgspec import structs

from services.authz.domain.decision_counts import (
    Allowed,
    CountBatch,
    CountedT,
    DecisionCounts,
    Denied,
    Times,
)
from shared.clock import Clock
from shared.contracts.calls.base import InternalCall
from shared.contracts.calls.decision_counts import (
    ALLOWS,
    DENIALS,
    MAX_COUNTS,
    AllowCount,
    AllowReport,
    DenialCount,
    DenialReport,
    UndetailedAllows,
    UndetailedDenials,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.outage_log import OutageLog
from shared.problems import Refusal
from shared.timeouts import Timeouts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReportKind(Generic[CountedT]):
    """What is reported: its call, and the report of the batch with a number in a process's life."""

    noun: str
    call: InternalCall[Any, None]
    report: Callable[[str, int, CountBatch[CountedT]], Any]


class DecisionReports(Generic[CountedT]):
    """Reports what was counted, batch after batch; a batch is repeated until audit has it."""

    def __init__(
        self,
        kind: ReportKind[CountedT],
        counts: DecisionCounts[CountedT],
        internal: InternalClient,
        *,
        clock: Clock,
        timeouts: Timeouts,
        seconds_now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kind = kind
        self._counts = counts
        self._internal = internal
        self._clock = clock
        self._pause = timeouts.denials
        self._life = secrets.token_hex(16)
        self._number = 0
        self._report: Any = None
        """The batch that audit may not have yet."""
        self._outage = OutageLog(
            logger,
            f"Audit's intake of {kind.noun}",
            effect="These decisions are recorded later, and beyond a bound without detail.",
            seconds_now=seconds_now,
        )

    async def run(self) -> None:
        """Report again and again."""
        while True:
            await asyncio.sleep(self._pause)
            await self.send()

    async def close(self) -> None:
        """Report what is left, once."""
        self._counts.end()
        await self.send()

    async def send(self) -> None:
        """Report what is due, until nothing is or audit does not answer."""
        while True:
            report = self._report or self._next()
            if report is None:
                return
            self._report = report
            try:
                await self._internal.call(self._kind.call, Service.AUDIT, report)
            except Refusal as refusal:
                self._outage.away(refusal)
                return
            self._report = None
            self._outage.back()

    def _next(self) -> Any:
        batch = self._counts.take(self._clock.now(), limit=MAX_COUNTS)
        if not batch.counts and not batch.losses:
            return None
        self._number += 1
        return self._kind.report(self._life, self._number, batch)


def _denial_report(life: str, number: int, batch: CountBatch[Denied]) -> DenialReport:
    return DenialReport(
        life=life,
        number=number,
        denials=tuple(
            DenialCount(**structs.asdict(denied), **_fields(times))
            for denied, times in batch.counts
        ),
        undetailed=tuple(
            UndetailedDenials(account_id=account_id, **_fields(times))
            for account_id, times in batch.losses
        ),
    )


def _allow_report(life: str, number: int, batch: CountBatch[Allowed]) -> AllowReport:
    return AllowReport(
        life=life,
        number=number,
        allows=tuple(
            AllowCount(**allowed._asdict(), **_fields(times)) for allowed, times in batch.counts
        ),
        undetailed=tuple(
            UndetailedAllows(account_id=account_id, **_fields(times))
            for account_id, times in batch.losses
        ),
    )


def _fields(times: Times) -> dict[str, Any]:
    return {"number": times.number, "first": times.first, "last": times.last}


OF_DENIALS = ReportKind(noun="denials", call=DENIALS, report=_denial_report)
OF_ALLOWS = ReportKind(noun="allows", call=ALLOWS, report=_allow_report)
