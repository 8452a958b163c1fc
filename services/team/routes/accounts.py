"""Which routes are about accounts, their catalogs and their revisions?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.team.domain.accounts import AlreadyATeam, OwnerOnly
from services.team.routes.gate import act_of, gated
from services.team.use_cases import accounts
from services.team.use_cases.accounts import OwnAccount
from services.team.use_cases.context import Ctx
from services.team.use_cases.desk import Desk, enter
from shared.contracts.facts import parse_revision
from shared.http.access import Permission, Session
from shared.http.idempotency import IdempotencyKeyReused, Repeated
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, UserId
from shared.names import parse_name
from shared.problems import NotFound

DisplayName = Annotated[str, Field(max_length=400), AfterValidator(parse_name)]

VIEW = Permission("account:view", decided_in_use_case=True)
UPDATE = Permission("account:update", decided_in_use_case=True)


class Rename(Body):
    """A new name."""

    name: DisplayName


class Convert(Body):
    """The team's name, and the catalog that it moves to (default: the one it has)."""

    name: DisplayName
    catalog: str | None = Field(default=None, min_length=1, max_length=200)


class AccountView(Answer):
    """An account, and what the caller is in it. `catalog` is a version, `name@sha256`."""

    id: AccountId
    name: str
    kind: Literal["personal", "team"]
    status: Literal["active", "suspended"]
    owner_user_id: UserId
    owner: bool
    catalog: str
    catalog_title: str
    role: str
    role_title: str
    created_at: datetime


class ReplicaView(Answer):
    """When one replica of authz had the change, or could no longer answer without it."""

    replica: str
    how: str
    at_ms: float


class RevisionView(Answer):
    """Where a change is in force (`B8`); `effective_at` is null while it is not everywhere."""

    revision: str
    effective: bool
    effective_at: datetime | None
    slowest_ms: float
    replicas: list[ReplicaView]


def account_view(place: Desk | OwnAccount) -> AccountView:
    """An account as one of its members sees it."""
    account, catalog = place.account, place.catalog.catalog
    role = catalog.role(place.membership.role)
    return AccountView(
        id=account.account_id,
        name=account.name,
        kind=account.kind.value,
        status=account.status.value,
        owner_user_id=account.owner_user_id,
        owner=place.membership.user_id == account.owner_user_id,
        catalog=account.catalog,
        catalog_title=catalog.title,
        role=place.membership.role,
        role_title=place.membership.role if role is None else role.title,
        created_at=account.created_at,
    )


async def list_own(ctx: Ctx, call: Call[None, PageQuery]) -> Page[AccountView]:
    """Every account that the caller is in; a new user's personal one is there at once."""
    user = call.user
    found = await accounts.own_accounts(ctx, user.user_id)
    named = user.account_id
    if (
        named is not None
        and named not in {own.account.account_id for own in found}
        and await accounts.arrive(ctx, user_id=user.user_id, account_id=named, caller=call.caller)
    ):
        found = await accounts.own_accounts(ctx, user.user_id)
    page, following = paged(found, call, key=lambda own: (own.account.account_id, ""))
    return Page[AccountView](items=[account_view(own) for own in page], next_cursor=following)


async def get(ctx: Ctx, call: Call[None, None]) -> AccountView:
    """One account."""
    return account_view(await enter(ctx, act_of(call)))


async def rename(ctx: Ctx, call: Call[Rename, None]) -> Reply:
    """Another name for the account."""
    written = await accounts.rename(ctx, act_of(call), name=call.body.name)
    return Reply(body=account_view(written.result), written=written)


async def convert(ctx: Ctx, call: Call[Convert, None]) -> Reply:
    """The personal account becomes a team."""
    act = act_of(call)
    once = ctx.idempotency.once(
        call.caller,
        operation=call.route.operation_id,
        key=call.idempotency_key,
        body=call.body,
        path=call.account_id,
    )
    try:
        written = await accounts.convert(
            ctx,
            act,
            name=call.body.name,
            catalog_name=call.body.catalog,
            once=once,
            answer=lambda desk: account_view(desk).model_dump(mode="json"),
        )
    except Repeated:
        await enter(ctx, act)
        return Reply(body=AccountView.model_validate(await once.replay()))
    return Reply(body=account_view(written.result), written=written)


async def get_revision(ctx: Ctx, call: Call[None, None]) -> RevisionView:
    """The receipt of one change of this account.

    The row says whose change it was, so rows have to be kept for as long as receipts are.
    """
    await enter(ctx, act_of(call))
    try:
        position = parse_revision(call.path["revision"])
    except ValueError as no_revision:
        raise NotFound from no_revision
    row = await ctx.journal.row(position)
    if row is None or row.account_id != call.account_id:
        raise NotFound
    receipt = await ctx.leases.receipt(call.path["revision"], occurred_at=row.occurred_at)
    if receipt is None:
        raise NotFound
    return RevisionView(
        revision=receipt.revision,
        effective=receipt.effective,
        effective_at=receipt.effective_at,
        slowest_ms=receipt.slowest_ms,
        replicas=[
            ReplicaView(replica=settled.replica, how=settled.how.value, at_ms=settled.at_ms)
            for settled in receipt.replicas
        ],
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/me/accounts",
        handler=list_own,
        operation_id="listMyAccounts",
        summary="The accounts that I am a member of",
        tag="accounts",
        access=Session(),
        query=PageQuery,
        gives=Page[AccountView],
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}",
        handler=gated(get),
        operation_id="getAccount",
        summary="One account",
        tag="accounts",
        access=VIEW,
        gives=AccountView,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}",
        handler=gated(rename),
        operation_id="renameAccount",
        summary="Give the account another name",
        tag="accounts",
        access=UPDATE,
        takes=Rename,
        gives=AccountView,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/convert",
        handler=gated(convert),
        operation_id="convertAccount",
        summary="Make a team of a personal account",
        tag="accounts",
        access=UPDATE,
        takes=Convert,
        gives=AccountView,
        refuses=(AlreadyATeam, OwnerOnly, IdempotencyKeyReused),
        effective_everywhere=True,
        idempotent=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/revisions/{revision}",
        handler=gated(get_revision),
        operation_id="getRevision",
        summary="Where a change is in force, and since when",
        tag="accounts",
        access=VIEW,
        gives=RevisionView,
    ),
)
