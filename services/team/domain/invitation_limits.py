"""The limit on the invitations of one account within a day (`T14`)."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.problems import Refusal, RefusalKind

WINDOW = timedelta(hours=24)


class InvitationRateLimited(Refusal):
    """Too many invitations from one account within a day, mailed or not."""

    kind = RefusalKind.RATE_LIMITED
    code = "invitation-rate-limited"
    detail = (
        "Too many invitations were sent within 24 hours."
        " Wait the number of seconds in the Retry-After header, then try again."
    )


def rate_limited(times: Sequence[datetime], *, limit: int, now: datetime) -> list[datetime]:
    """The times of the last day, with `now` added.

    Raises:
        InvitationRateLimited: the last day has `limit` of them already.
    """
    recent = sorted(time for time in times if time > now - WINDOW)
    if len(recent) >= limit:
        wait = recent[len(recent) - limit] + WINDOW - now
        raise InvitationRateLimited(retry_after=math.ceil(wait.total_seconds()))
    return [*recent, now]
