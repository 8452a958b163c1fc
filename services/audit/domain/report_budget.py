"""How much a service client may report: bytes within a minute, and reports that are not recorded.

What is reported passes the journal, the bus, the log and its trees, as every other action does. One
client that reports without an end would hold up the records of everyone.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.contracts.facts import Position
from shared.problems import Refusal, RefusalKind
from shared.quotas import Quota

BYTES_PER_MINUTE = 8 * 1024 * 1024
"""Of one client at one replica: more than the largest request."""
REPORT_BYTES = 1024
"""What each report counts besides its own bytes: small ones cost the log nearly as much."""
MOST_UNRECORDED = 2_000
"""Of one client at one replica: the records of others wait for this number at most."""
WAIT_SECONDS = 2
"""After it the log has usually grown."""
MINUTE = timedelta(minutes=1)

Applied = Mapping[str, tuple[str, Mapping[int, int]]]
"""How far each source is recorded without a gap: its epoch, and the row of each shard."""


class TooManyReports(Refusal):
    """The client has reported as much as it may within a minute."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-reports"
    detail = (
        "This service client may report {limit} bytes within a minute, and each report counts"
        " {each} bytes more than it has. None of this request is recorded. Send it again after the"
        " number of seconds in the Retry-After header."
    )


class TooManyReportsWaiting(Refusal):
    """The log has not recorded yet what the client has reported."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-reports-waiting"
    detail = (
        "More than {limit} reports of this service client wait until the log has recorded them."
        " None of this request is recorded. Send it again after the number of seconds in the"
        " Retry-After header."
    )


class ReportBudget:
    """What each client has reported at this replica; the bytes are forgotten evenly."""

    def __init__(
        self, *, limit: int = BYTES_PER_MINUTE, most_unrecorded: int = MOST_UNRECORDED
    ) -> None:
        self._limit = limit
        self._most_unrecorded = most_unrecorded
        self._forgotten_at: dict[str, datetime] = {}
        """When all bytes of a client are forgotten; only moments that are to come."""
        self._unrecorded: defaultdict[str, dict[Position, int]] = defaultdict(dict)
        """The last row of each write, and the number of its reports."""

    def take(self, client_id: str, size: int, *, now: datetime) -> Quota:
        """Count the bytes of a request; return what is left to the client.

        Raises:
            TooManyReports: the client has not as many left. None of them is counted.
        """
        for client, moment in list(self._forgotten_at.items()):
            if moment <= now:
                del self._forgotten_at[client]
        began = self._forgotten_at.get(client_id, now)
        full = began + MINUTE * (size / self._limit)
        # A client that has used nothing sends what a request may have.
        if began > now and full > now + MINUTE:
            wait = math.ceil((min(full - MINUTE, began) - now).total_seconds())
            raise TooManyReports(retry_after=wait, limit=self._limit, each=REPORT_BYTES)
        self._forgotten_at[client_id] = full
        left = max(now + MINUTE - full, timedelta()) / MINUTE
        return Quota(
            name="reported-bytes",
            limit=self._limit,
            remaining=int(left * self._limit),
            reset_seconds=math.ceil((full - now).total_seconds()),
            window_seconds=int(MINUTE.total_seconds()),
        )

    def wrote(self, client_id: str, last: Position, number: int) -> None:
        """Note that reports of the client are saved; `last` is the row of the last one of them."""
        self._unrecorded[client_id][last] = number

    def require_recorded(self, client_id: str, applied: Applied) -> None:
        """Check that the log keeps up with the client.

        Raises:
            TooManyReportsWaiting: it does not.
        """
        for client, writes in list(self._unrecorded.items()):
            for last in [last for last in writes if _recorded(last, applied)]:
                del writes[last]
            if not writes:
                del self._unrecorded[client]
        if sum(self._unrecorded.get(client_id, {}).values()) > self._most_unrecorded:
            raise TooManyReportsWaiting(retry_after=WAIT_SECONDS, limit=self._most_unrecorded)


def _recorded(row: Position, applied: Applied) -> bool:
    """Whether the log has the row; of an epoch that is over, it has all that it can have."""
    epoch, seqs = applied.get(row.source, (row.epoch, {}))
    return epoch != row.epoch or row.seq <= seqs.get(row.shard, 0)
