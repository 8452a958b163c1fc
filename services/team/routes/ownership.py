"""Routes of further accounts, and of the transfer of an account's ownership."""

from typing import Annotated

from pydantic import Field

from services.team.domain.ownership_refusals import (
    AccountLimit,
    AddressNotVerified,
    ReceiverUnfit,
    TransferExpired,
    TransferOwnerOnly,
    TransferPending,
)
from services.team.routes.accounts import (
    AccountView,
    DisplayName,
    OwnershipTransferView,
    account_view,
    list_own,
    transfer_view,
)
from services.team.routes.passed_invitations import PassedInvitationView, passed_views
from services.team.use_cases import owned_accounts, ownership
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.ownership import Accepted
from shared.http.access import Permission, Session
from shared.http.paging import Page, PageQuery
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import UserId

VIEW = Permission("account:view", in_session=True)
"""The use case decides by the ownership and the offer, which no permission gives."""


GIVE = Permission("account:view", in_session=True, fresh_proof=True)
"""The same, for who gives the account away."""


class CreateAccount(Body):
    """The team's name, and its catalog (default: the one of new personal accounts)."""

    name: DisplayName
    catalog: str | None = Field(default=None, min_length=1, max_length=200)


class OfferOwnership(Body):
    """The member who shall be the owner."""

    user_id: Annotated[str, Field(pattern=r"^usr_[0-9a-f]{32}$")]


class AcceptedTransferView(AccountView):
    """The account as its new owner has it, and the invitations that passed to another inviter."""

    beside_the_state = frozenset({"passed_invitations"})

    passed_invitations: list[PassedInvitationView]


async def create(ctx: Ctx, call: Call[CreateAccount, None]) -> Reply:
    """Create a further team."""
    written = await owned_accounts.create(
        ctx,
        caller=call.caller,
        user_id=call.user.user_id,
        name=call.body.name,
        catalog_name=call.body.catalog,
        key=call.guard,
        repeat_answer=account_view,
    )
    return Reply(body=account_view(written.result), written=written)


async def offer(ctx: Ctx, call: Call[OfferOwnership, None], request: AccountRequest) -> Reply:
    """Offer the ownership to a member."""
    written = await ownership.offer(ctx, request, user_id=UserId(call.body.user_id))
    return Reply(body=transfer_view(written.result), written=written)


async def cancel(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Take the offer back."""
    return Reply(written=await ownership.cancel(ctx, request))


async def decline(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Decline the ownership."""
    return Reply(written=await ownership.decline(ctx, request))


async def accept(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Become the owner."""
    written = await ownership.accept(ctx, request)
    return Reply(body=accepted_view(written.result), written=written)


def accepted_view(accepted: Accepted) -> AcceptedTransferView:
    """An acceptance as its JSON object."""
    return AcceptedTransferView(
        **dict(account_view(accepted.access)),
        passed_invitations=passed_views(accepted.passed),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts",
        handler=list_own,
        operation_id="listAccounts",
        summary="The same list as `GET /v1/me/accounts`",
        tag="accounts",
        access=Session(),
        query=PageQuery,
        gives=Page[AccountView],
    ),
    Route(
        method="POST",
        path="/v1/accounts",
        handler=create,
        operation_id="createAccount",
        summary="Create a further team, which I own",
        tag="accounts",
        access=Session(),
        takes=CreateAccount,
        gives=AccountView,
        status=201,
        refuses=(AccountLimit, AddressNotVerified),
        effective_everywhere=True,
        idempotent=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/ownership-transfer",
        handler=offer,
        operation_id="offerOwnership",
        summary="Offer the ownership of the account to a member",
        tag="accounts",
        access=GIVE,
        caller_rule="Only the owner may do it.",
        takes=OfferOwnership,
        gives=OwnershipTransferView,
        status=201,
        refuses=(TransferOwnerOnly, ReceiverUnfit, TransferPending),
        idempotent=True,
        repeat_answer=transfer_view,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/ownership-transfer",
        handler=cancel,
        operation_id="cancelOwnershipTransfer",
        summary="Take the offer of the ownership back",
        tag="accounts",
        access=VIEW,
        caller_rule="Only the owner may do it.",
        refuses=(TransferOwnerOnly,),
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/ownership-transfer/accept",
        handler=accept,
        operation_id="acceptOwnership",
        summary="Become the owner of the account",
        tag="accounts",
        access=VIEW,
        caller_rule="Only the member who received the offer may do it.",
        gives=AcceptedTransferView,
        refuses=(TransferExpired, AccountLimit),
        effective_everywhere=True,
        idempotent=True,
        repeat_answer=accepted_view,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/ownership-transfer/decline",
        handler=decline,
        operation_id="declineOwnership",
        summary="Decline the ownership of the account",
        tag="accounts",
        access=VIEW,
        caller_rule="Only the member who received the offer may do it.",
        refuses=(TransferExpired,),
        on_repeat="Finds no offer any more: 404.",
    ),
)
