"""The routes by which an owner chooses another catalog and moves the account to it."""

from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import OwnerOnly
from services.team.domain.authority import GrantsExceeded
from services.team.domain.catalog_choices import CatalogBound
from services.team.domain.catalog_mapping import MappingNeeded
from services.team.domain.catalog_moves import (
    CatalogMove,
    CatalogTooSmall,
    GuardrailsOfThisCatalog,
    MovableRows,
    MoveTooLarge,
)
from services.team.domain.role_refusals import RolesTooLarge
from services.team.routes.accounts import AccountView, account_view
from services.team.routes.catalog_fields import CatalogName, MappingBody, catalog_mapping
from services.team.routes.passed_invitations import PassedInvitationView, passed_views
from services.team.routes.roles import CatalogView, catalog_view
from services.team.use_cases import catalog_moves, roles
from services.team.use_cases.catalog_moves import MovedAccount
from services.team.use_cases.context import AccountRequest, Ctx
from shared.contracts.policy_objects import PolicyObject
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import GuardrailId, InvitationId


class MoveCatalog(Body):
    """The catalog that the account moves to."""

    catalog: CatalogName
    mapping: MappingBody = MappingBody()


class MoveView(Answer):
    """What a move changes beside the account itself.

    The numbers say how many members and invitations have another role, and how many overrides have
    other levels or have ended. `roles_ended` are the names of custom roles that are gone.
    `resource_types_lost` are types of registered resources, and those to which service clients of
    the account are bound, for which the new catalog has no permission: every check about them is
    denied.
    """

    members: int
    invitations: int
    overrides: int
    overrides_ended: int
    roles_ended: list[str]
    resource_types_lost: list[str]


class MoveStateView(TaggedAnswer):
    """What a move rests on; a preview tells its tag.

    `policy` is all of the account that decisions rest on.
    """

    policy: list[PolicyObject]
    guardrails: list[GuardrailId]
    invitations: list[tuple[InvitationId, str]]
    resource_types: list[str]


class MovedAccountView(Answer):
    """The account in its new catalog; `changed` is null if it had the catalog already."""

    account: AccountView
    changed: MoveView | None
    passed_invitations: list[PassedInvitationView]


def move_view(move: CatalogMove) -> MoveView:
    """What a move changes."""
    return MoveView(
        members=len(move.members),
        invitations=len(move.invitations),
        overrides=len(move.overrides),
        overrides_ended=len(move.ended_overrides),
        roles_ended=[role.name for role in move.ended_roles],
        resource_types_lost=list(move.resource_types_lost),
    )


def move_state_view(rows: MovableRows) -> MoveStateView:
    """The state of an account that is compared before a move."""
    objects = [
        rows.account.policy_object(),
        *(one.policy_object() for one in (rows.owner, *rows.others)),
        *(one.policy_object() for one in rows.overrides),
        *(one.policy_object() for one in rows.projects.values()),
    ]
    return MoveStateView(
        policy=sorted(objects, key=lambda one: (one.kind, one.id)),
        guardrails=sorted(one.guardrail_id for one in rows.account.guardrails),
        invitations=sorted((one.invitation_id, one.role) for one in rows.invitations),
        resource_types=sorted(rows.resource_types),
    )


def moved_view(moved: MovedAccount) -> MovedAccountView:
    """An account after a move."""
    return MovedAccountView(
        account=account_view(moved.access),
        changed=None if moved.move is None else move_view(moved.move),
        passed_invitations=passed_views(moved.passed),
    )


async def list_choices(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[CatalogView]:
    """List the catalogs that the account may move to, each in its newest version."""
    found = await catalog_moves.choices(ctx, access)
    page, following = paged(found, call, key=lambda one: (one.catalog.name, ""))
    return Page[CatalogView](
        items=[catalog_view(one, roles.built_in(one)) for one in page], next_cursor=following
    )


async def move(ctx: Ctx, call: Call[MoveCatalog, None], request: AccountRequest) -> Reply:
    """Move the account to another catalog."""
    written = await catalog_moves.move_account(
        ctx,
        request,
        catalog_name=call.body.catalog,
        mapping=catalog_mapping(call.body.mapping),
    )
    return Reply(body=moved_view(written.result), written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/catalogs",
        handler=list_choices,
        operation_id="listCatalogChoices",
        summary="The catalogs that the account may move to",
        tag="accounts",
        access=Permission("account:update"),
        caller_rule="Only the owner may do it.",
        query=PageQuery,
        gives=Page[CatalogView],
        refuses=(OwnerOnly,),
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/catalog",
        handler=move,
        operation_id="moveToCatalog",
        summary="Move the account to another catalog or version",
        tag="accounts",
        access=Permission("account:update"),
        caller_rule="Only the owner may do it.",
        takes=MoveCatalog,
        gives=MovedAccountView,
        refuses=(
            OwnerOnly,
            CatalogBound,
            MappingNeeded,
            GuardrailsOfThisCatalog,
            CatalogTooSmall,
            MoveTooLarge,
            RolesTooLarge,
            GrantsExceeded,
        ),
        effective_everywhere=True,
        idempotent=True,
        repeat_answer=moved_view,
        represent=move_state_view,
        has_preview=True,
    ),
)
