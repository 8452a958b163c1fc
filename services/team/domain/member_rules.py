"""The rules for giving a member another role (`Ci3`, `B5`)."""

from services.team.domain import members
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import require_to_give
from services.team.domain.members import Membership
from services.team.domain.roles import assignable_role
from shared.contracts.facts import Fact


def change_role(
    access: AccountAccess, member: Membership, role_id: str
) -> tuple[Membership, Fact | None]:
    """Give the member another role; there is no fact if they have the role already.

    Raises:
        RoleUnknown: the catalog has no such role, or it cannot be assigned.
        OwnerProtected: the member is the owner.
        GrantsExceeded: the caller does not hold what the role gives.
    """
    role = assignable_role(access.catalog, role_id)
    if access.is_owner(member):
        raise members.OwnerProtected
    if role.id == member.role:
        return member, None
    require_to_give(access.state, access.member, role.id, now=access.now)
    return members.change_role(
        member,
        role=role,
        ends_sessions=access.catalog.catalog.policies.role_change_ends_sessions,
        account_name=access.account.name,
    )
