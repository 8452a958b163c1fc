"""Rules that need the acting member: another role (`Ci3`, `B5`), and who manages members."""

from collections.abc import Sequence

from rolecall import Resource, Subject, decide, milliseconds
from services.team.domain import members
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import account_state, member_state, require_to_give
from services.team.domain.members import Membership
from services.team.domain.roles import assignable_role
from shared.contracts.facts import Fact

REMOVE = "member:remove"

MAX_MANAGERS = 20
"""The most members who are told that a member left; the owner is among them."""


def managers(access: AccountAccess, members: Sequence[Membership]) -> list[Membership]:
    """The owner, then the members whose role in the catalog lets them remove others."""
    states = [member_state(access.catalog, member) for member in members]
    state = account_state(access.account, access.catalog, states)
    now = milliseconds(access.now)

    def manages(member: Membership) -> bool:
        return decide(state, Subject(member.user_id), REMOVE, Resource(), now=now).allowed

    owners = [member for member in members if access.is_owner(member)]
    others = [member for member in members if not access.is_owner(member) and manages(member)]
    others.sort(key=lambda member: member.joined_at)
    return [*owners, *others][:MAX_MANAGERS]


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
