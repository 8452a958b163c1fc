"""The members who were active lately, collected in memory and given away in batches."""

from dataclasses import dataclass
from datetime import datetime, timedelta

ACTIVITY_STEP = timedelta(minutes=5)
"""The time in which a member's last activity is written once at most."""
MAX_SEEN = 20_000
"""The members that one process remembers between two batches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMember:
    """A member, and the last moment at which they were active."""

    account_id: str
    user_id: str
    at: datetime


class RecentActivity:
    """The members seen since the last batch, each with the latest moment.

    What exceeds the limit is not remembered: the moments are for people to read. A process that
    ends forgets the rest.
    """

    def __init__(self, *, limit: int = MAX_SEEN) -> None:
        self._limit = limit
        self._seen: dict[tuple[str, str], datetime] = {}

    def note(self, account_id: str, user_id: str, at: datetime) -> None:
        """Remember that the member was active."""
        key, seen = (account_id, user_id), self._seen
        latest = seen.get(key)
        if latest is None:
            if len(seen) < self._limit:
                seen[key] = at
        elif latest < at:
            seen[key] = at

    def take(self) -> list[SeenMember]:
        """Give away what was collected, and begin anew."""
        seen, self._seen = self._seen, {}
        return [
            SeenMember(account_id=account_id, user_id=user_id, at=at)
            for (account_id, user_id), at in seen.items()
        ]
