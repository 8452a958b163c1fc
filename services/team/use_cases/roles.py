"""The roles of an account's catalog."""

from rolecall import Role
from services.team.domain.account_access import AccountAccess
from services.team.domain.roles import RoleNotThere


def list_all(access: AccountAccess) -> list[Role]:
    """List the roles of the account's catalog, in its order."""
    return list(access.catalog.catalog.roles)


def get(access: AccountAccess, role_id: str) -> Role:
    """Return one role.

    Raises:
        RoleNotThere: the account's catalog has no such role.
    """
    catalog = access.catalog.catalog
    role = catalog.role(role_id)
    if role is None:
        raise RoleNotThere(role_id, catalog)
    return role
