"""What does the gateway itself refuse, and in which words?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.http.refusals import BodyTooLarge, MethodNotAllowed, Unexpected
from shared.http.routes import BODY_CAP_BYTES
from shared.problems import NotFound, Refusal, RefusalKind, Unavailable

LARGEST_BODY = 4 * BODY_CAP_BYTES
"""In bytes; more than any route takes, so that a service says what its cap is."""

REQUEST_ID = "$rolecall_request_id"
"""nginx's variable with the sender's request id if it is sane, else a new one."""


class NotHttp(Refusal):
    """The request's first line or its headers are malformed or too long."""

    kind = RefusalKind.MALFORMED
    code = "bad-request"
    detail = "The first line or a header of the request is malformed or too long."


class TooManyConnections(Refusal):
    """One address has too many requests running at once (`T19`)."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-connections"
    detail = "Too many requests of your address are running at once."


_HEADERS = {
    "X-Request-ID": REQUEST_ID,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Row:
    """Statuses that nginx ends a request with, and the refusal that they become."""

    statuses: Sequence[int]
    refusal: Refusal

    @property
    def error_page(self) -> str:
        """Which location answers."""
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
            f"return {self.refusal.status} '{problem}'; }}"
        )

    @property
    def _path(self) -> str:
        # Not a named location: nginx finds none for a request whose first line it cannot read.
        return f"/problems/{self.refusal.code}"


ROWS = (
    Row((400, 414, 494), NotHttp()),
    Row((403, 404), NotFound()),
    Row((405,), MethodNotAllowed(("GET", "HEAD"))),
    Row((413,), BodyTooLarge(limit=LARGEST_BODY)),
    Row((429,), TooManyConnections(retry_after=1)),
    Row((500,), Unexpected()),
    # No answer of a service reached us, so what became of a request with an effect is open.
    Row((502, 503, 504), Unavailable()),
)
