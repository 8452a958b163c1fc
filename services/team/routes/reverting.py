"""The route that turns a team into a personal account again."""

from pydantic import Field

from services.team.domain.accounts import OwnerOnly
from services.team.domain.guardrail_rules import RoleInGuardrail
from services.team.domain.reverting import (
    AlreadyPersonal,
    ConfirmationWrong,
    ConversionIrreversible,
    NoConversion,
)
from services.team.routes.accounts import END, AccountView, account_view
from services.team.use_cases import reverting
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.routes import Body, Call, Reply, Route


class Revert(Body):
    """The account's name, typed by its owner."""

    confirm: str = Field(min_length=1, max_length=400)


async def revert(ctx: Ctx, call: Call[Revert, None], request: AccountRequest) -> Reply:
    """Turn the team into a personal account."""
    written = await reverting.revert(ctx, request, confirm=call.body.confirm)
    return Reply(body=account_view(written.result), written=written)


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/revert",
        handler=revert,
        operation_id="revertAccount",
        summary="Make a personal account of a team; all other members lose access",
        tag="accounts",
        access=END,
        caller_rule="Only the owner may do it.",
        takes=Revert,
        gives=AccountView,
        refuses=(
            OwnerOnly,
            NoConversion,
            AlreadyPersonal,
            ConversionIrreversible,
            ConfirmationWrong,
            RoleInGuardrail,
        ),
        effective_everywhere=True,
        on_repeat="Finds a personal account: 409 `already-personal`.",
        has_preview=True,
    ),
)
