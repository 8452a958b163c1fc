"""Why there is no decision: one class for each kind of failure. None of them is ever an allow."""

from rolecall.client.evaluations import UndecidedError


class NoAnswerError(UndecidedError):
    """Rolecall gave no usable answer in time: no connection, a cut, a stall, or other content."""

    def __init__(self, message: str) -> None:
        super().__init__(message, temporary=True)


class BusyError(UndecidedError):
    """Rolecall cannot answer now: 503 `stale`, an overload, or a rate limit.

    `retry_after` is the number of seconds that the answer asks to wait, if it does.
    `of_request`: it is busy for this request only, and the circuit breaker does not count it.
    Those are a rate limit, and `stale` of a check that names a revision: its user may have made
    the revision up.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, of_request: bool = False
    ) -> None:
        super().__init__(message, temporary=True)
        self.retry_after = retry_after
        self.of_request = of_request


class CircuitOpenError(UndecidedError):
    """The last requests failed, so this one was not sent. It is refused, never allowed."""

    def __init__(self) -> None:
        super().__init__(
            "Rolecall did not answer the last requests. This one was not sent; try again soon.",
            temporary=True,
        )


class LeaseOverError(UndecidedError):
    """Local mode cannot answer, and must not ask: its state may be too old, or lacks the account.

    It is raised only with `fallback=False`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, temporary=True)


class RequestRefusedError(UndecidedError):
    """Rolecall refuses this request for good, such as an account that is not bound."""

    def __init__(self, message: str) -> None:
        super().__init__(message, temporary=False, request_refused=True)


class ClientRefusedError(UndecidedError):
    """Rolecall refuses this application: a wrong secret, or a scope that its client lacks."""

    def __init__(self, message: str) -> None:
        super().__init__(message, temporary=False)


class NotOpenError(UndecidedError, RuntimeError):
    """The application uses `Rolecall` outside of `async with`: it has no connections."""

    def __init__(self) -> None:
        super().__init__("Rolecall is not open. Use it in `async with`.", temporary=False)


class TokenRejectedError(Exception):
    """The access token of a caller is not genuine, or its time is over. Answer 401."""


class TokenExpiredError(TokenRejectedError):
    """The access token is genuine, and its time is over. Its caller must refresh it."""
