"""One request to a receiver: what came of it, and what follows for the next one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MAX_JITTER = 0.2
"""The part of a pause that is added to it at most."""
MAX_RETRY_AFTER = timedelta(hours=1)
"""The longest pause that an answer may ask for with `Retry-After`."""
FAILING_FOR = timedelta(days=3)
"""How long no attempt has succeeded when a receiver is given up."""
KEPT_ANSWER_BYTES = 500
GONE = 410


class RequestResult(StrEnum):
    """What came of a request, as metrics count it."""

    DELIVERED = "delivered"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    """4xx."""
    FAILED = "failed"
    """5xx, or no status that ends a request."""
    UNANSWERED = "unanswered"
    """No answer in time, no connection, or an address that is not allowed."""


@dataclass(frozen=True, kw_only=True)
class ReceiverAttempt:
    """One request: when it began, how long it took, and what came of it.

    Without a `status` there was no answer, and `error` says why. `answer` is the beginning of the
    body, as text.
    """

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver took the event: only 2xx says so."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def seconds(self) -> float:
        """How long it held its place."""
        return self.milliseconds / 1000

    @property
    def result(self) -> RequestResult:
        """What came of it."""
        if self.status is None:
            return RequestResult.UNANSWERED
        by_hundreds = {
            2: RequestResult.DELIVERED,
            3: RequestResult.REDIRECTED,
            4: RequestResult.REFUSED,
        }
        return by_hundreds.get(self.status // 100, RequestResult.FAILED)

    def shown(self) -> dict[str, Any]:
        """Return the attempt as the log of the delivery keeps it."""
        return {
            "at": self.at,
            "milliseconds": self.milliseconds,
            "status": self.status,
            "error": self.error,
            "answer": self.answer,
        }


def asked_pause(attempt: ReceiverAttempt) -> timedelta:
    """Return the pause that the answer asks for, within its limit."""
    return min(attempt.retry_after or timedelta(0), MAX_RETRY_AFTER)


def has_failed_for_days(failing_since: datetime | None, *, now: datetime) -> bool:
    """Return whether no attempt has succeeded for so long that a receiver is given up."""
    return failing_since is not None and failing_since <= now - FAILING_FOR


def answer_text(body: bytes) -> str:
    """Return the beginning of an answer as text that every reader can show."""
    text = body[:KEPT_ANSWER_BYTES].decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() or sign == "\n" else "\ufffd" for sign in text)
