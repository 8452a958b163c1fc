"""The list of members and invitations: two reads in one order, merged into a page."""

import asyncio

from services.team.domain import member_list
from services.team.domain.account_access import AccountAccess
from services.team.domain.member_list import (
    ListPage,
    MemberListField,
    MemberListQuery,
    MemberListRow,
    MemberListStatus,
    Place,
)
from services.team.use_cases.context import Ctx
from shared.names import name_key


async def search(
    ctx: Ctx,
    access: AccountAccess,
    *,
    text: str,
    status: MemberListStatus | None,
    role: str | None,
    field: MemberListField,
    descending: bool,
    after: Place | None,
    limit: int,
) -> ListPage[MemberListRow]:
    """List members and pending invitations in one place (`Nv15`, `Ro13`).

    Raises:
        NoSuchPlace: the list has no such place as `after`.
    """
    query = MemberListQuery(
        field=field,
        descending=descending,
        limit=limit + 1,
        role_keys=member_list.role_keys(access),
        text=name_key(text.strip()),
        status=status,
        role=role,
        after=after,
    )
    member_list.check_place(query)
    account_id, now = access.account.account_id, access.now
    members, invitations = await asyncio.gather(
        ctx.store.list_members(account_id, query, now=now),
        ctx.store.list_invitations(account_id, query, now=now),
    )
    rows = [
        *(member_list.member_row(access, one) for one in members),
        *(member_list.invitation_row(access, one) for one in invitations),
    ]
    rows.sort(key=lambda row: row.place(query), reverse=descending)
    page = rows[:limit]
    return ListPage(rows=page, following=page[-1].place(query) if len(rows) > limit else None)


async def count(ctx: Ctx, access: AccountAccess) -> dict[MemberListStatus, int]:
    """Count the members and pending invitations of each status."""
    return await ctx.store.count_statuses(access.account.account_id, now=access.now)
