"""Has this address, or this account, had its share of invitations for today (`T14`)?"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.problems import Refusal, RefusalKind

WINDOW = timedelta(hours=24)


class InvitationRateLimited(Refusal):
    """Too many invitations to one address, or from one account, within a day."""

    kind = RefusalKind.RATE_LIMITED
    code = "invitation-rate-limited"
    detail = "Too many invitations within a day; try again later."


def spend(times: Sequence[datetime], *, limit: int, now: datetime) -> list[datetime]:
    """The times within the last day, with `now` added.

    Raises:
        InvitationRateLimited: `limit` of them are in the last day already.
    """
    recent = sorted(time for time in times if time > now - WINDOW)
    if len(recent) >= limit:
        wait = recent[len(recent) - limit] + WINDOW - now
        raise InvitationRateLimited(retry_after=math.ceil(wait.total_seconds()))
    return [*recent, now]
