"""The facts of other services that identity acts on."""

from services.identity.use_cases import (
    account_connections,
    closed_accounts,
    ending_sessions,
    session_accounts,
)
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.registry import payload_of
from shared.contracts.team import AccountCreated, MemberLeft, MemberRemoved, MemberRoleChanged
from shared.contracts.team_endings import AccountDeleted, AccountDeletionRequested, AccountSuspended
from shared.contracts.topology import Service
from shared.ids import AccountId, UserId
from shared.inbox import AppliedMark, Subscriptions, caller_for


async def on_role_changed(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """End the member's sessions in the account if its catalog asks for it (Nv16)."""
    payload = payload_of(row)
    if (
        isinstance(payload, MemberRoleChanged)
        and payload.ends_sessions
        and row.account_id is not None
    ):
        await ending_sessions.end_sessions_in(
            ctx,
            caller_for(row, service=Service.IDENTITY),
            user_id=UserId(payload.user_id),
            account_id=AccountId(row.account_id),
            changed_at=row.occurred_at,
            guard=applied_mark,
        )


async def on_member_gone(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Move the user's sessions from the account that they left, and revoke their tokens there."""
    payload = payload_of(row)
    if isinstance(payload, MemberRemoved | MemberLeft) and row.account_id is not None:
        await session_accounts.leave_account(
            ctx,
            caller_for(row, service=Service.IDENTITY),
            user_id=UserId(payload.user_id),
            account_id=AccountId(row.account_id),
            left_at=row.occurred_at,
            guard=applied_mark,
        )


async def on_account_closed(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Move all sessions from a suspended account to the personal accounts."""
    if row.account_id is not None:
        await closed_accounts.leave_closed_account(ctx, AccountId(row.account_id))


async def on_account_deleted(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Move all sessions from a deleted account; those that begin in it wait for another one."""
    payload = payload_of(row)
    if isinstance(payload, AccountDeletionRequested) and row.account_id is not None:
        account_id = AccountId(row.account_id)
        await closed_accounts.leave_closed_account(ctx, account_id)
        await session_accounts.leave_account(
            ctx,
            caller_for(row, service=Service.IDENTITY),
            user_id=UserId(payload.owner_user_id),
            account_id=account_id,
            left_at=row.occurred_at,
            guard=applied_mark,
        )


async def on_account_created(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Take the personal account that replaces one that the user gave away or deleted."""
    payload = payload_of(row)
    if (
        isinstance(payload, AccountCreated)
        and payload.kind == "personal"
        and payload.number
        and row.account_id is not None
    ):
        await session_accounts.take_personal_account(
            ctx,
            caller_for(row, service=Service.IDENTITY),
            user_id=UserId(payload.owner_user_id),
            account_id=AccountId(row.account_id),
            number=payload.number,
            guard=applied_mark,
        )


async def on_account_gone(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Delete the connections of an account of which nothing is left."""
    if row.account_id is not None:
        await account_connections.delete_of_account(
            ctx,
            caller_for(row, service=Service.IDENTITY),
            AccountId(row.account_id),
            guard=applied_mark,
        )


SUBSCRIPTIONS: Subscriptions = {
    AccountCreated.type: on_account_created,
    MemberRoleChanged.type: on_role_changed,
    MemberRemoved.type: on_member_gone,
    MemberLeft.type: on_member_gone,
    AccountSuspended.type: on_account_closed,
    AccountDeletionRequested.type: on_account_deleted,
    AccountDeleted.type: on_account_gone,
}
