"""The operator's routes that show an account, suspend it and resume it."""

from datetime import datetime
from typing import Literal

from services.team.domain.account_deletion import DeletionBegan
from services.team.domain.accounts import Account
from services.team.use_cases import account_suspension
from services.team.use_cases.context import Ctx
from shared.http.access import Admin
from shared.http.explanations import Explanation
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, UserId


class Suspend(Body):
    """Why the account is suspended, in words for its owner, who gets them by mail."""

    reason: Explanation


class SuspensionView(Answer):
    """An account as the operator sees it."""

    id: AccountId
    name: str
    status: Literal["active", "suspended", "deleting"]
    reason: str | None


class OperatedAccount(SuspensionView):
    """An account with what an operator needs to help its owner."""

    kind: Literal["personal", "team"]
    catalog: str
    owner_user_id: UserId
    members: int
    created_at: datetime
    deletes_at: datetime | None


def _view(account: Account) -> SuspensionView:
    return SuspensionView(
        id=account.account_id,
        name=account.name,
        status=account.status.value,
        reason=account.suspension,
    )


async def show(ctx: Ctx, call: Call[None, None]) -> OperatedAccount:
    """Return the account."""
    account, members = await account_suspension.find(ctx, call.account_id)
    return OperatedAccount(
        **_view(account).model_dump(),
        kind=account.kind.value,
        catalog=account.catalog,
        owner_user_id=account.owner_user_id,
        members=members,
        created_at=account.created_at,
        deletes_at=account.deletes_at,
    )


async def suspend(ctx: Ctx, call: Call[Suspend, None]) -> Reply:
    """Suspend the account."""
    written = await account_suspension.suspend(
        ctx, call.caller, call.account_id, explanation=call.body.reason
    )
    return Reply(body=_view(written.result), written=written)


async def resume(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Resume the account."""
    written = await account_suspension.resume(ctx, call.caller, call.account_id)
    return Reply(body=_view(written.result), written=written)


ROUTES = (
    Route(
        method="GET",
        path="/internal/admin/accounts/{account_id}",
        handler=show,
        operation_id="showAccount",
        summary="An account in any status",
        tag="admin",
        access=Admin(),
        gives=OperatedAccount,
    ),
    Route(
        method="POST",
        path="/internal/admin/accounts/{account_id}/suspend",
        handler=suspend,
        operation_id="suspendAccount",
        summary="Deny everything in an account; nothing is lost",
        tag="admin",
        access=Admin(),
        takes=Suspend,
        gives=SuspensionView,
        refuses=(DeletionBegan,),
        effective_everywhere=True,
        on_repeat="Finds the account suspended. Another reason is recorded and mailed.",
    ),
    Route(
        method="POST",
        path="/internal/admin/accounts/{account_id}/resume",
        handler=resume,
        operation_id="resumeAccount",
        summary="End the suspension of an account",
        tag="admin",
        access=Admin(),
        gives=SuspensionView,
        effective_everywhere=True,
        on_repeat="Finds the account active.",
    ),
)
