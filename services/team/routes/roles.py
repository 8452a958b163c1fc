"""Routes of the account's catalog and its roles."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from rolecall import CompiledCatalog, mixed_word
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.guardrail_rules import RoleInGuardrail
from services.team.domain.overrides import grants_as_json
from services.team.domain.role_refusals import (
    RoleBuiltIn,
    RoleInUse,
    RoleLimit,
    RoleNameTaken,
    RolesTooLarge,
)
from services.team.domain.roles import RoleUnknown
from services.team.routes.accounts import DisplayName
from services.team.routes.grant_bodies import GivenGrants, Grants
from services.team.routes.passed_invitations import (
    PassedInvitations,
    PassedInvitationView,
    passed_views,
)
from services.team.use_cases import roles
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.roles import EditedRole, ShownRole
from shared.catalog_parts import NotInThisCatalog
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route

VIEW = Permission("account:view")
ROLES = Permission("role:view")
MANAGE = Permission("role:manage")
MAX_DESCRIPTION = 500

Description = Annotated[str, Field(max_length=MAX_DESCRIPTION), AfterValidator(str.strip)]


def _in_one_alphabet(name: str) -> str:
    """Refuse a name that could be taken for that of another role."""
    mixed = mixed_word(name)
    if mixed is not None:
        raise ValueError(mixed)
    return name


RoleName = Annotated[DisplayName, AfterValidator(_in_one_alphabet)]


class CreateRole(Body):
    """A role of the account's own."""

    name: RoleName
    description: Description = ""
    grants: GivenGrants


class EditRole(Body):
    """What changes; a member that is left out stays as it is."""

    name: RoleName | None = None
    description: Description | None = None
    grants: GivenGrants | None = None


class DeleteRoleQuery(Body):
    """The role that members and pending invitations get instead."""

    replacement: str | None = Field(
        default=None, min_length=1, max_length=64, description="The id of another role"
    )


class RoleView(TaggedAnswer):
    """A role; `grants` has entry → level → grant. A built-in role has no times."""

    id: str
    name: str
    description: str
    assignable: bool
    built_in: bool
    grants: Grants
    created_at: datetime | None
    updated_at: datetime | None


class EditedRoleView(RoleView):
    """The role, and the invitations that passed to another inviter."""

    beside_the_state = frozenset({"passed_invitations"})

    passed_invitations: list[PassedInvitationView]


class CatalogView(Answer):
    """A provider's permission model with the account's roles, as a role editor shows it.

    `translations` has its texts in other languages, by the code of the language.
    """

    id: str
    name: str
    title: str
    description: str
    sections: list[dict[str, Any]]
    roles: list[RoleView]
    owner_role: str
    policies: dict[str, Any]
    translations: dict[str, dict[str, str]] = Field(default_factory=dict)


def role_view(shown: ShownRole) -> RoleView:
    """A role."""
    role, custom = shown.role, shown.custom
    return RoleView(
        id=role.id,
        name=role.title,
        description=role.description,
        assignable=role.assignable,
        built_in=custom is None,
        grants=grants_as_json(role.grants),
        created_at=custom and custom.created_at,
        updated_at=custom and custom.updated_at,
    )


async def get_catalog(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> CatalogView:
    """Return the account's permission model; custom roles are for those who may see roles."""
    shown = roles.list_all(access)
    if ROLES.name not in access.catalog.held(access.member.role):
        shown = [one for one in shown if one.custom is None]
    return catalog_view(access.catalog, shown)


def catalog_view(compiled: CompiledCatalog, shown: Sequence[ShownRole]) -> CatalogView:
    """A permission model with these roles."""
    content = compiled.catalog.to_mapping()
    roles_of_it = [role_view(one) for one in shown]
    return CatalogView.model_validate({**content, "id": compiled.id, "roles": roles_of_it})


async def list_roles(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[RoleView]:
    """List the roles of the account's catalog in its order, then the custom ones by name."""
    found = roles.list_all(access)
    numbered = {shown.role.id: f"{number:04}" for number, shown in enumerate(found)}
    page, following = paged(found, call, key=lambda shown: (numbered[shown.role.id], shown.role.id))
    return Page[RoleView](items=[role_view(shown) for shown in page], next_cursor=following)


async def get_role(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> RoleView:
    """Return one role."""
    return role_view(roles.get(access, call.path["role_id"]))


async def create_role(ctx: Ctx, call: Call[CreateRole, None], request: AccountRequest) -> Reply:
    """Create a custom role."""
    body = call.body
    written = await roles.create(
        ctx, request, name=body.name, description=body.description, grants=body.grants
    )
    return Reply(body=role_view(written.result), written=written)


async def edit_role(ctx: Ctx, call: Call[EditRole, None], request: AccountRequest) -> Reply:
    """Change a custom role."""
    body = call.body
    written = await roles.edit(
        ctx,
        request,
        role_id=call.path["role_id"],
        name=body.name,
        description=body.description,
        grants=body.grants,
    )
    return Reply(body=_edited_view(written.result), written=written)


async def delete_role(
    ctx: Ctx, call: Call[None, DeleteRoleQuery], request: AccountRequest
) -> Reply:
    """Delete a custom role."""
    written = await roles.delete(
        ctx, request, role_id=call.path["role_id"], replacement_id=call.query.replacement
    )
    passed = passed_views(written.result)
    body = PassedInvitations(passed_invitations=passed) if passed else None
    return Reply(body=body, written=written)


def _edited_view(edited: EditedRole) -> EditedRoleView:
    return EditedRoleView(
        **dict(role_view(edited.role)), passed_invitations=passed_views(edited.passed)
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/catalog",
        handler=get_catalog,
        operation_id="getCatalog",
        summary="The account's permission model",
        tag="roles",
        access=VIEW,
        gives=CatalogView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/roles",
        handler=list_roles,
        operation_id="listRoles",
        summary="The roles that a member can have",
        tag="roles",
        access=ROLES,
        query=PageQuery,
        gives=Page[RoleView],
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/roles",
        handler=create_role,
        operation_id="createRole",
        summary="Create a custom role",
        tag="roles",
        access=MANAGE,
        takes=CreateRole,
        gives=RoleView,
        status=201,
        refuses=(NotInThisCatalog, GrantsExceeded, RoleNameTaken, RoleLimit, RolesTooLarge),
        effective_everywhere=True,
        idempotent=True,
        repeat_answer=role_view,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/roles/{role_id}",
        handler=get_role,
        operation_id="getRole",
        summary="One role",
        tag="roles",
        access=ROLES,
        gives=RoleView,
        represent=role_view,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}/roles/{role_id}",
        handler=edit_role,
        operation_id="changeRole",
        summary="Change a custom role; in force with the answer",
        tag="roles",
        access=MANAGE,
        takes=EditRole,
        gives=EditedRoleView,
        refuses=(
            NotInThisCatalog,
            RoleBuiltIn,
            GrantsExceeded,
            EndExceeded,
            RoleNameTaken,
            RolesTooLarge,
        ),
        effective_everywhere=True,
        represent=role_view,
        has_preview=True,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/roles/{role_id}",
        handler=delete_role,
        operation_id="deleteRole",
        summary="Delete a custom role; its members get the replacement",
        tag="roles",
        access=MANAGE,
        query=DeleteRoleQuery,
        gives=PassedInvitations,
        may_have_no_body=True,
        refuses=(
            NotInThisCatalog,
            RoleBuiltIn,
            RoleInGuardrail,
            RoleInUse,
            RoleUnknown,
            GrantsExceeded,
            EndExceeded,
        ),
        effective_everywhere=True,
        represent=role_view,
        has_preview=True,
    ),
)
