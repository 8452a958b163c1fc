"""The refusals of the gateway itself, as problem documents (RFC 9457)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.http.refusals import BodyTooLarge, MethodNotAllowed, NotHttp, Unexpected
from shared.http.routes import BODY_CAP_BYTES
from shared.problems import NotFound, Refusal, RefusalKind, Unavailable

MAX_BODY_BYTES = 4 * BODY_CAP_BYTES
"""Larger than the cap of every route: up to this size a service answers with its own cap."""

REQUEST_ID = "$rolecall_request_id"
"""The nginx variable with the sender's request id if it is well formed, otherwise a new one."""


class TooManyConnections(Refusal):
    """One address has too many requests running at the same time (`T19`)."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-connections"
    detail = (
        "Too many requests from your address are running at the same time. Wait for some to end."
    )


class RequestRateExceeded(Refusal):
    """One address sends requests faster than its kind of request allows (`T19`)."""

    kind = RefusalKind.RATE_LIMITED
    code = "request-rate-exceeded"
    detail = (
        "Your address sends too many requests of this kind."
        " Wait the number of seconds in the Retry-After header, then try again."
    )


RATE_EXCEEDED_STATUS = 420
"""What nginx calls a request over a rate; no answer has this status."""

_HEADERS = {
    "X-Request-ID": REQUEST_ID,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class ErrorPage:
    """The statuses with which nginx ends a request, and the refusal that replaces them."""

    statuses: Sequence[int]
    refusal: Refusal

    @property
    def error_page(self) -> str:
        """The directive that sends these statuses to the location."""
        statuses = " ".join(map(str, self.statuses))
        return f"error_page {statuses} ={self.refusal.status} {self._path};"

    @property
    def location(self) -> str:
        """The location that answers with the problem."""
        headers = {**_HEADERS, **self.refusal.headers}
        if self.refusal.retry_after is not None:
            headers["Retry-After"] = str(self.refusal.retry_after)
        added = "".join(f'add_header {name} "{text}" always; ' for name, text in headers.items())
        problem = json.dumps(self.refusal.problem(REQUEST_ID))
        return (
            f"location = {self._path} {{ internal; default_type application/problem+json; {added}"
            f"return {self.refusal.status} '{problem}\\n'; }}"
        )

    @property
    def _path(self) -> str:
        # A named location does not work: nginx has none for a request line that it cannot read.
        return f"/problems/{self.refusal.code}"


ERROR_PAGES = (
    ErrorPage((400, 414, 494), NotHttp()),
    ErrorPage((403, 404), NotFound()),
    ErrorPage((405,), MethodNotAllowed(("GET", "HEAD"))),
    ErrorPage((413,), BodyTooLarge(limit=MAX_BODY_BYTES)),
    ErrorPage((429,), TooManyConnections(retry_after=1)),
    ErrorPage((RATE_EXCEEDED_STATUS,), RequestRateExceeded(retry_after=1)),
    ErrorPage((500,), Unexpected()),
    # The service did not answer, so the outcome of a request with an effect is unknown.
    ErrorPage((502, 503, 504), Unavailable()),
)
