"""Read the activity and the metered usage of the members of an account."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.records import KnownUser
from services.audit.domain.usage_sums import UsageGroup, UsageRow
from services.audit.use_cases.context import Ctx

USERS_OF_A_QUESTION = 100
"""See `KEYS_OF_A_QUESTION` of the store of reports."""


@dataclass(frozen=True, kw_only=True)
class UsagePage:
    """Usage by groups, with the users as last known; who has left keeps the rows."""

    rows: Sequence[UsageRow]
    users: Mapping[str, KnownUser]
    erased: Collection[str]
    """The ids of users who are erased."""
    complete_until: datetime | None


async def read_usage(
    ctx: Ctx,
    account_id: str,
    groups: Sequence[UsageGroup],
    *,
    first_day: str,
    last_day: str,
    after: Sequence[str] | None,
    limit: int,
) -> UsagePage:
    """Return the usage of the account between two days, both included, in the groups' order."""
    complete_until = ctx.complete_until()
    rows = await ctx.usage.rows(
        account_id, groups, first_day=first_day, last_day=last_day, after=after, limit=limit
    )
    user_ids = {row.group[UsageGroup.MEMBER] for row in rows if UsageGroup.MEMBER in row.group}
    users: dict[str, KnownUser] = {}
    erased: set[str] = set()
    ordered = sorted(user_ids)
    for start in range(0, len(ordered), USERS_OF_A_QUESTION):
        asked = ordered[start : start + USERS_OF_A_QUESTION]
        known = await ctx.store.known_users(asked)
        users |= known
        if unknown := set(asked) - set(known):
            erased |= await ctx.store.erased_users(unknown)
    return UsagePage(rows=rows, users=users, erased=erased, complete_until=complete_until)
