"""Posts to receivers, which lead to the internet and nowhere else."""

import time
from collections.abc import Mapping
from datetime import timedelta

from shared.clock import Clock
from shared.http.outbound import Outbound, OutboundError
from shared.ids import AccountId
from shared.receivers.attempts import KEPT_ANSWER_BYTES, ReceiverAttempt, answer_text


class ReceiverPosts:
    """Makes the requests, which lead to the internet and nowhere else; see `Outbound`."""

    def __init__(
        self,
        outbound: Outbound,
        clock: Clock,
        *,
        user_agent: str,
        content_type: str = "application/json",
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._own = {"Content-Type": content_type, "User-Agent": user_agent}

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, account_id: AccountId
    ) -> ReceiverAttempt:
        """Make one request; what comes of it is the attempt, never an exception."""
        at, began = self._clock.now(), time.monotonic()
        sent = {**self._own, **headers}
        try:
            answer = await self._outbound.post(
                url, body, headers=sent, keeps=KEPT_ANSWER_BYTES, sender=account_id
            )
        except OutboundError as problem:
            return ReceiverAttempt(at=at, milliseconds=_since(began), error=str(problem))
        return ReceiverAttempt(
            at=at,
            milliseconds=_since(began),
            status=answer.status,
            answer=answer_text(answer.body),
            retry_after=_seconds(answer.retry_after),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._outbound.close()


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _seconds(text: str | None) -> timedelta | None:
    """Read `Retry-After` in seconds; a date is not read, as the schedule is good enough."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 6:
        return None
    return timedelta(seconds=int(text))
