"""Routes of the account's catalog and its roles."""

from typing import Any

from rolecall import Role
from services.team.domain.account_access import AccountAccess
from services.team.domain.overrides import grants_as_json
from services.team.use_cases import roles
from services.team.use_cases.context import Ctx
from shared.http.access import Permission
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Answer, Call, Route

VIEW = Permission("account:view")
ROLES = Permission("role:view")


class RoleView(Answer):
    """A built-in role; `grants` has entry → level → `all` or `self`."""

    id: str
    title: str
    description: str
    assignable: bool
    built_in: bool = True
    grants: dict[str, dict[str, str]]


class CatalogView(Answer):
    """A provider's permission model, as a role editor shows it."""

    id: str
    name: str
    title: str
    description: str
    sections: list[dict[str, Any]]
    roles: list[RoleView]
    owner_role: str
    policies: dict[str, Any]


def role_view(role: Role) -> RoleView:
    """A built-in role."""
    return RoleView(
        id=role.id,
        title=role.title,
        description=role.description,
        assignable=role.assignable,
        grants=grants_as_json(role.grants),
    )


async def get_catalog(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> CatalogView:
    """Return the account's permission model."""
    compiled = access.catalog
    content = compiled.catalog.to_mapping()
    return CatalogView.model_validate(
        {
            **content,
            "id": compiled.id,
            "roles": [role_view(role) for role in roles.list_all(access)],
        }
    )


async def list_roles(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[RoleView]:
    """List the roles of the account's catalog, in its order."""
    found = roles.list_all(access)
    numbered = {role.id: f"{number:04}" for number, role in enumerate(found)}
    page, following = paged(found, call, key=lambda role: (numbered[role.id], role.id))
    return Page[RoleView](items=[role_view(role) for role in page], next_cursor=following)


async def get_role(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> RoleView:
    """Return one role."""
    return role_view(roles.get(access, call.path["role_id"]))


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
        method="GET",
        path="/v1/accounts/{account_id}/roles/{role_id}",
        handler=get_role,
        operation_id="getRole",
        summary="One role",
        tag="roles",
        access=ROLES,
        gives=RoleView,
    ),
)
