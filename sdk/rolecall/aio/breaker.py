"""A circuit breaker: after failures in a row, requests are refused without being sent."""

from rolecall.aio.errors import CircuitOpenError

FAILURES_TO_OPEN = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0


class CircuitBreaker:
    """Opens after `FAILURES_TO_OPEN` failures in a row; then one request at a time tries again.

    Pure: times are seconds of one monotonic clock and are handed in. An open circuit refuses.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._open_until: float | None = None

    def require_closed(self, now: float) -> None:
        """Check that a request may be sent.

        When the pause is over, the first request is sent as a trial. Others wait for its end.

        Raises:
            CircuitOpenError: it may not.
        """
        if self._open_until is None:
            return
        if now < self._open_until:
            raise CircuitOpenError
        self._open_until = now + self._pause

    def given_up(self) -> None:
        """Take a request that tells nothing of the service; if it was the trial, another may try.

        Its caller cancelled it, or its failure is its own.
        """
        if self._open_until is not None:
            self._open_until = float("-inf")

    def succeeded(self) -> None:
        """Take an answer, allow, denial or refusal."""
        self._failures = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._open_until = None

    def failed(self, now: float) -> None:
        """Take a failure that another attempt may not have."""
        self._failures += 1
        if self._failures < FAILURES_TO_OPEN:
            return
        if self._open_until is not None:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        self._open_until = now + self._pause
