"""The limit on the invitations of one account within a day (`T14`)."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.problems import Refusal, RefusalKind
from shared.quotas import Quota

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
    recent = _recent(times, now=now)
    if len(recent) >= limit:
        raise InvitationRateLimited(retry_after=_seconds_to_a_place(recent, limit=limit, now=now))
    return [*recent, now]


def quota(times: Sequence[datetime], *, limit: int, now: datetime) -> Quota:
    """Return what the account has left of its day."""
    recent = _recent(times, now=now)
    return Quota(
        name="invitations",
        limit=limit,
        remaining=max(0, limit - len(recent)),
        reset_seconds=_seconds_to_a_place(recent, limit=limit, now=now),
        window_seconds=int(WINDOW.total_seconds()),
    )


def _recent(times: Sequence[datetime], *, now: datetime) -> list[datetime]:
    return sorted(time for time in times if time > now - WINDOW)


def _seconds_to_a_place(recent: Sequence[datetime], *, limit: int, now: datetime) -> int:
    """Return the whole seconds after which one more place is free."""
    freed_by = recent[max(0, len(recent) - limit)] if recent else now
    return math.ceil((freed_by + WINDOW - now).total_seconds())
