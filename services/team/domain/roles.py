"""The roles of an account: which of them can be assigned, and what they are called."""

from rolecall import CompiledCatalog, Role
from shared.problems import NotFound, Refusal, RefusalKind


class RoleNotThere(NotFound):
    """The account has no role of the id in the path."""

    detail = "This account has no role `{role}`. Its roles are: {known}."

    def __init__(self, role_id: str, catalog: CompiledCatalog) -> None:
        known = [role.id for role in catalog.all_roles()]
        Refusal.__init__(self, role=role_id, known=known)


class RoleUnknown(Refusal):
    """The account has no such role, or the role belongs to the owner alone."""

    kind = RefusalKind.INVALID
    code = "role-unknown"
    detail = "The role `{role}` cannot be assigned. Choose one of: {assignable}."

    def __init__(self, role_id: str, catalog: CompiledCatalog, *, pointer: str | None) -> None:
        assignable = [role.id for role in catalog.all_roles() if role.assignable]
        choice = f"Choose one of: {', '.join(assignable)}."
        super().__init__(
            errors=[] if pointer is None else [(pointer, choice)],
            role=role_id,
            assignable=assignable,
        )


def assignable_role(
    catalog: CompiledCatalog, role_id: str, *, pointer: str | None = "/role"
) -> Role:
    """The role of that id, for a member or an invitation.

    `pointer` is its place in the request; `None` if the request does not name it.

    Raises:
        RoleUnknown: the account has no such role, or it cannot be assigned.
    """
    role = catalog.role(role_id)
    if role is None or not role.assignable:
        raise RoleUnknown(role_id, catalog, pointer=pointer)
    return role


def role_title(catalog: CompiledCatalog, role_id: str) -> str:
    """The role's title; its id when the account does not have the role any more."""
    role = catalog.role(role_id)
    return role_id if role is None else role.title
