"""Routes of accounts and of the receipts of their changes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import AlreadyATeam, OwnerOnly
from services.team.domain.catalog_mapping import MappingNeeded
from services.team.domain.catalog_moves import GuardrailsOfThisCatalog
from services.team.domain.catalog_texts import Translations, author_words, own_title
from services.team.domain.ownership_offers import OwnershipOffer
from services.team.domain.role_refusals import RolesTooLarge
from services.team.domain.roles import role_title
from services.team.domain.second_factors import (
    DemandInPerson,
    OwnerSecondFactorMissing,
    OwnSecondFactorMissing,
)
from services.team.routes.catalog_fields import CatalogName, MappingBody, catalog_mapping
from services.team.use_cases import account_changes, accounts
from services.team.use_cases.accounts import OwnAccount
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission, Session
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, UserId
from shared.names import parse_name

DisplayName = Annotated[str, Field(max_length=400), AfterValidator(parse_name)]

VIEW = Permission("account:view")
UPDATE = Permission("account:update")
END = Permission("account:update", in_session=True)
"""Of what the owner does in person: they may lose all that the account is."""


class ChangeAccount(Body):
    """What is to change; what is left out stays.

    With `require_second_factor` members without a second factor are denied everything.
    """

    name: DisplayName | None = None
    require_second_factor: bool | None = None


class Convert(Body):
    """The team's name, and the catalog that it moves to (default: the one it has)."""

    name: DisplayName
    catalog: CatalogName | None = None
    mapping: MappingBody = MappingBody()


class OwnershipTransferView(Answer):
    """The offer of the ownership to a member, until they accept, it ends or it expires."""

    user_id: UserId
    name: str
    owner_user_id: UserId
    owner_name: str
    offered_at: datetime
    expires_at: datetime


class AccountView(TaggedAnswer):
    """An account, and what the caller is in it. `catalog` is a version, `name@sha256`.

    `suspension` tells the owner why the account is suspended. A deleted account can be restored
    until `deletes_at`.
    `ownership_transfer` is shown to the owner and to the member to whom the ownership is offered.
    `project_word` is what the provider calls a project, `projects_word` several. `translations` has
    these words and the titles in other languages, as the catalog has them.
    """

    id: AccountId
    name: str
    kind: Literal["personal", "team"]
    status: Literal["active", "suspended", "deleting"]
    suspension: str | None = None
    deletes_at: datetime | None = None
    owner_user_id: UserId
    owner: bool
    catalog: str
    catalog_title: str
    project_word: str
    projects_word: str
    role: str
    role_title: str
    translations: Translations
    created_at: datetime
    require_second_factor: bool
    ownership_transfer: OwnershipTransferView | None = None


class ReplicaView(Answer):
    """When one replica of authz had applied the change, or could no longer answer without it."""

    replica: str
    how: str
    at_ms: float


class RevisionView(Answer):
    """Where a change is effective (`B8`).

    `effective_at` is null until the change is effective everywhere.
    """

    revision: str
    effective: bool
    effective_at: datetime | None
    slowest_ms: float
    replicas: list[ReplicaView]


def account_view(own: AccountAccess | OwnAccount) -> AccountView:
    """An account as one of its members sees it."""
    account, role_id = own.account, own.membership.role
    owner = own.membership.user_id == account.owner_user_id
    words = own.catalog.catalog.policies.words
    return AccountView(
        id=account.account_id,
        name=account.name,
        kind=account.kind.value,
        status=account.status.value,
        suspension=account.suspension if owner else None,
        deletes_at=account.deletes_at,
        owner_user_id=account.owner_user_id,
        owner=owner,
        catalog=account.catalog,
        catalog_title=own.catalog.catalog.title,
        project_word=words.project,
        projects_word=words.projects,
        role=role_id,
        role_title=role_title(own.catalog, role_id),
        translations=author_words(
            own.catalog,
            own.catalog.catalog.title,
            words.project,
            words.projects,
            own_title(own.catalog, role_id),
        ),
        created_at=account.created_at,
        require_second_factor=account.require_second_factor,
        ownership_transfer=_offer_for(own.membership.user_id, account.offer),
    )


def transfer_view(offer: OwnershipOffer) -> OwnershipTransferView:
    """An offer of the ownership as its JSON object."""
    return OwnershipTransferView(
        user_id=offer.user_id,
        name=offer.name,
        owner_user_id=offer.owner_user_id,
        owner_name=offer.owner_name,
        offered_at=offer.offered_at,
        expires_at=offer.expires_at,
    )


def _offer_for(user_id: UserId, offer: OwnershipOffer | None) -> OwnershipTransferView | None:
    return None if offer is None or not offer.concerns(user_id) else transfer_view(offer)


async def list_own(ctx: Ctx, call: Call[None, PageQuery]) -> Page[AccountView]:
    """List the accounts that the caller is a member of; a new user's personal one is there."""
    user = call.user
    found = await accounts.own_accounts(
        ctx, user_id=user.user_id, personal=user.account_id, caller=call.caller
    )
    page, following = paged(found, call, key=lambda own: (own.account.account_id, ""))
    return Page[AccountView](items=[account_view(own) for own in page], next_cursor=following)


async def get(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> AccountView:
    """Return one account."""
    return account_view(access)


async def update(ctx: Ctx, call: Call[ChangeAccount, None], request: AccountRequest) -> Reply:
    """Change the account."""
    written = await account_changes.update(
        ctx,
        request,
        name=call.body.name,
        require_second_factor=call.body.require_second_factor,
    )
    return Reply(body=account_view(written.result), written=written)


async def convert(ctx: Ctx, call: Call[Convert, None], request: AccountRequest) -> Reply:
    """Make a team of the personal account."""
    written = await accounts.convert(
        ctx,
        request,
        name=call.body.name,
        catalog_name=call.body.catalog,
        mapping=catalog_mapping(call.body.mapping),
    )
    return Reply(body=account_view(written.result), written=written)


async def get_revision(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> RevisionView:
    """Return the receipt of one change of this account."""
    receipt = await accounts.receipt(ctx, access, call.path["revision"])
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
        handler=get,
        operation_id="getAccount",
        summary="One account",
        tag="accounts",
        access=VIEW,
        gives=AccountView,
        represent=account_view,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}",
        handler=update,
        operation_id="changeAccount",
        summary="Rename the account, or demand a second factor of its members",
        tag="accounts",
        access=UPDATE,
        takes=ChangeAccount,
        gives=AccountView,
        refuses=(OwnSecondFactorMissing, OwnerSecondFactorMissing, DemandInPerson),
        effective_everywhere=True,
        represent=account_view,
        has_preview=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/convert",
        handler=convert,
        operation_id="convertAccount",
        summary="Make a team of a personal account",
        tag="accounts",
        access=END,
        caller_rule="Only the owner may do it.",
        takes=Convert,
        gives=AccountView,
        refuses=(
            AlreadyATeam,
            OwnerOnly,
            MappingNeeded,
            GuardrailsOfThisCatalog,
            RolesTooLarge,
        ),
        effective_everywhere=True,
        idempotent=True,
        repeat_answer=account_view,
        has_preview=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/revisions/{revision}",
        handler=get_revision,
        operation_id="getRevision",
        summary="Where a change is effective, and since when",
        tag="accounts",
        access=VIEW,
        gives=RevisionView,
    ),
)
