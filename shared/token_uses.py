"""The API tokens that were used lately, collected in memory and told to identity in batches."""

import asyncio
import logging
from datetime import datetime, timedelta

from shared.contracts.calls.identity import (
    MAX_TOKEN_USES,
    TOKEN_USES,
    TokenUse,
    TokenUsesReport,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.ids import TokenId
from shared.outage_log import OutageLog
from shared.problems import Refusal
from shared.timeouts import Timeouts

TOKEN_USE_STEP = timedelta(minutes=10)
"""The time in which one process tells a token's last use once at most."""
MAX_USED = 20_000
"""The tokens that one process remembers."""

logger = logging.getLogger(__name__)


class TokenUses:
    """The tokens used since the last batch; what exceeds the limit is not remembered."""

    def __init__(self, *, limit: int = MAX_USED) -> None:
        self._limit = limit
        self._told: dict[TokenId, datetime] = {}
        self._used: dict[TokenId, datetime] = {}

    def note(self, token_id: TokenId, at: datetime) -> None:
        """Remember that a token was used, unless that was told a short time ago."""
        told = self._told.get(token_id)
        if told is not None and at - told < TOKEN_USE_STEP:
            return
        if token_id in self._used or len(self._used) < self._limit:
            self._used[token_id] = at

    def take(self) -> list[TokenUse]:
        """Give away what was collected, and begin anew."""
        used, self._used = self._used, {}
        self._told |= used
        if len(self._told) > self._limit:
            self._told = used
        return [TokenUse(token_id=token_id, at=at) for token_id, at in used.items()]


class TokenUseReports:
    """Reports what was noted, in batches; what identity does not take is lost."""

    def __init__(self, uses: TokenUses, internal: InternalClient, *, timeouts: Timeouts) -> None:
        self._uses = uses
        self._internal = internal
        self._timeouts = timeouts
        self._outage = OutageLog(
            logger,
            "Identity's intake of the use of API tokens",
            effect="The last use of some tokens is lost.",
            pause=timeouts.activity,
        )

    async def run(self) -> None:
        """Report again and again."""
        while True:
            await asyncio.sleep(self._timeouts.activity)
            await self.send()

    async def send(self) -> None:
        """Report what was noted since the last time."""
        used = self._uses.take()
        for start in range(0, len(used), MAX_TOKEN_USES):
            report = TokenUsesReport(uses=tuple(used[start : start + MAX_TOKEN_USES]))
            try:
                await self._internal.call(TOKEN_USES, Service.IDENTITY, report)
            except Refusal as refusal:
                self._outage.away(refusal)
                return
            self._outage.back()
