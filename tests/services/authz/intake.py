"""Audit as authz sees it: it takes the counts of decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalVerifier
from shared.contracts.calls.decision_counts import (
    ALLOWS,
    DENIALS,
    AllowCount,
    AllowReport,
    DenialCount,
    DenialReport,
)
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.internal import internal_route
from shared.runtime.listeners import listen
from shared.runtime.service import ServiceApp

if TYPE_CHECKING:
    from shared.clock import Clock
    from shared.http.routes import Call


class Intake:
    """The reports that replicas of authz have sent."""

    def __init__(self, *, keys, clock: Clock) -> None:
        self.reports: list[DenialReport] = []
        self.allows: list[AllowCount] = []
        authenticator = Authenticator(
            internal=InternalVerifier(service=Service.AUDIT, keys=keys.public, clock=clock)
        )
        self._service = ServiceApp(
            Service.AUDIT,
            public=Api(Service.AUDIT, (), None),
            internal=Api(
                Service.AUDIT,
                (internal_route(DENIALS, self._take), internal_route(ALLOWS, self._take_allows)),
                None,
                authenticator=authenticator,
            ),
        )

    @property
    def denials(self) -> list[DenialCount]:
        """Every count that was reported."""
        return [count for report in self.reports for count in report.denials]

    async def start(self) -> str:
        await self._service.start(internal=listen("127.0.0.1", 0))
        return self._service.addresses["internal"]

    async def stop(self) -> None:
        await self._service.stop()

    async def _take(self, ctx: object, call: Call[DenialReport, None]) -> None:
        self.reports.append(call.body)

    async def _take_allows(self, ctx: object, call: Call[AllowReport, None]) -> None:
        self.allows += call.body.allows
