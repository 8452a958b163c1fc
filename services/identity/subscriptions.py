"""Which facts of other services concern identity?"""

from services.identity import sign_ins
from services.identity.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.registry import payload_of
from shared.contracts.team import MemberLeft, MemberRemoved, MemberRoleChanged
from shared.ids import AccountId, UserId
from shared.inbox import AppliedMark, Subscriptions, caller_for


async def on_role_changed(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Where the account's catalog asks for it, the member signs in again (Nv16)."""
    told = payload_of(row)
    if isinstance(told, MemberRoleChanged) and told.ends_sessions and row.account_id is not None:
        await sign_ins.end_sessions_in(
            ctx,
            caller_for(row, service="identity"),
            user_id=UserId(told.user_id),
            account_id=AccountId(row.account_id),
            before=row.occurred_at,
            guard=applied_mark,
        )


async def on_member_gone(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Sessions in an account that somebody left go on in the personal account."""
    told = payload_of(row)
    if isinstance(told, MemberRemoved | MemberLeft) and row.account_id is not None:
        await sign_ins.leave_account(
            ctx,
            caller_for(row, service="identity"),
            user_id=UserId(told.user_id),
            account_id=AccountId(row.account_id),
            guard=applied_mark,
        )


SUBSCRIPTIONS: Subscriptions = {
    MemberRoleChanged.type: on_role_changed,
    MemberRemoved.type: on_member_gone,
    MemberLeft.type: on_member_gone,
}
