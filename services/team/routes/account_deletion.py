"""Routes by which an owner deletes an account and restores it."""

from dataclasses import replace

from pydantic import Field

from services.team.domain.account_deletion import DeletionBegan
from services.team.domain.accounts import OwnerOnly
from services.team.domain.ownership_refusals import AccountLimit
from services.team.domain.reverting import ConfirmationWrong
from services.team.routes.accounts import END, AccountView, account_view
from services.team.use_cases import account_deletion
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.routes import Body, Call, Reply, Route


class DeleteQuery(Body):
    """The account's name, typed by its owner."""

    confirm: str = Field(
        default="",
        max_length=400,
        description="The name of the account, as it is shown; without it nothing is deleted",
    )


async def delete(ctx: Ctx, call: Call[None, DeleteQuery], request: AccountRequest) -> Reply:
    """Begin the deletion of the account."""
    written = await account_deletion.delete(ctx, request, confirm=call.query.confirm)
    return Reply(body=account_view(written.result), written=written)


async def restore(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Undo the deletion."""
    written = await account_deletion.restore(ctx, request)
    return Reply(body=account_view(written.result), written=written)


ROUTES = (
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}",
        handler=delete,
        operation_id="deleteAccount",
        summary="Delete an account; its owner can restore it until `deletes_at`",
        tag="accounts",
        access=replace(END, fresh_proof=True),
        caller_rule="Only the owner may do it.",
        query=DeleteQuery,
        gives=AccountView,
        refuses=(OwnerOnly, ConfirmationWrong, AccountLimit),
        effective_everywhere=True,
        represent=account_view,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/restore",
        handler=restore,
        operation_id="restoreAccount",
        summary="Undo the deletion of an account",
        tag="accounts",
        access=END,
        caller_rule="Only the owner may do it.",
        gives=AccountView,
        refuses=(OwnerOnly, DeletionBegan),
        effective_everywhere=True,
        on_repeat="Finds the account restored, and answers with it.",
    ),
)
