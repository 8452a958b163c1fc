"""The rules for creating, editing and deleting a custom role (`Ci8`, `B5`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import Matrix, Resource, Role, Subject, decide, milliseconds
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.authority import (
    grants_gained,
    require_ends,
    require_to_give,
    require_to_give_grants,
    role_grants,
)
from services.team.domain.custom_roles import (
    CustomRole,
    edited,
    parse_role_grants,
    with_role,
    without_role,
)
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership, change_role
from services.team.domain.role_refusals import (
    RoleBuiltIn,
    RoleInUse,
    RoleLimit,
    RoleNameTaken,
    RolesTooLarge,
)
from services.team.domain.roles import RoleNotThere, assignable_role
from shared.catalog_parts import NotInThisCatalog
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.ids import RoleId
from shared.names import name_key

SEE_MEMBERS = "member:view"
MAX_ROLE_BYTES = 16 * 1024
MAX_ROLES_BYTES = 64 * 1024
"""A row of the journal has 128 KiB at most. That of a change has the account with all of its roles,
and the role before and after: a role that is there can therefore always be narrowed or deleted."""


@dataclass(frozen=True, kw_only=True)
class DeletedRole:
    """The account without the role, and everyone who has the replacement from now on."""

    account: Account
    members: tuple[Membership, ...]
    invitations: tuple[Invitation, ...]
    facts: tuple[Fact, ...]


def require_offered(access: AccountAccess) -> None:
    """Check that the account's catalog offers custom roles.

    Raises:
        NotInThisCatalog: it does not.
    """
    if not access.catalog.catalog.policies.features.custom_roles:
        raise NotInThisCatalog("custom roles", "Choose one of its built-in roles instead.")


def custom_role(access: AccountAccess, role_id: str) -> CustomRole:
    """The account's custom role of that id.

    Raises:
        RoleBuiltIn: it is a role of the catalog.
        RoleNotThere: the account has no such role.
    """
    for role in access.account.roles:
        if role.role_id == role_id:
            return role
    if access.catalog.role(role_id) is not None:
        raise RoleBuiltIn(role=role_id)
    raise RoleNotThere(role_id, access.catalog)


def create(
    access: AccountAccess,
    *,
    role_id: RoleId,
    name: str,
    description: str,
    grants: object,
    limit: int,
) -> tuple[Account, CustomRole, Fact]:
    """Define a role; the caller holds everything that it gives (`B5`).

    Raises:
        Invalid: the grants do not fit the catalog.
        GrantsExceeded: the caller does not hold them all.
        RoleNameTaken: a role of the account or of the catalog has the name.
        RoleLimit: the account has `limit` custom roles.
        RolesTooLarge: they would have too many bytes.
    """
    account = access.account
    role = CustomRole(
        role_id=role_id,
        name=name,
        description=description,
        grants=parse_role_grants(access.catalog.catalog, grants),
        created_by=access.membership.user_id,
        created_at=access.now,
        updated_at=access.now,
    )
    given = _matrix(access, role)
    require_to_give_grants(access.state, access.member, given, now=access.now)
    _require_free_name(access, role)
    if len(account.roles) >= limit:
        raise RoleLimit(limit=limit)
    require_room(account.roles, role)
    changed = replace(account, roles=with_role(account.roles, role))
    fact = Fact(
        payload=team.RoleCreated(role_id=role.role_id, name=role.name),
        resource=role.ref(),
        after=role.shown(),
        policy_objects=(changed.policy_object(),),
    )
    return changed, role, fact


def edit(
    access: AccountAccess,
    role: CustomRole,
    *,
    name: str | None,
    description: str | None,
    grants: object | None,
    ends: Sequence[datetime | None],
) -> tuple[Account, CustomRole, Fact | None]:
    """Change what is not `None`; without a difference there is no fact.

    The caller holds every grant that the role gains. That also holds for a role that they have
    themselves. What the role loses, anyone may take away who manages roles. `ends` are those of the
    memberships with the role, open invitations included: none outlasts a caller who gives it more.

    Raises:
        Invalid, GrantsExceeded, RoleNameTaken, RolesTooLarge: as `create`.
        EndExceeded: a membership with the role lasts longer than the caller's.
    """
    account = access.account
    given = role.grants if grants is None else parse_role_grants(access.catalog.catalog, grants)
    changed = edited(
        role,
        now=access.now,
        name=role.name if name is None else name,
        description=role.description if description is None else description,
        grants=given,
    )
    if changed is role:
        return account, role, None
    before, after = _matrix(access, role), _matrix(access, changed)
    gained = grants_gained(before, after)
    require_to_give_grants(access.state, access.member, gained, now=access.now)
    require_ends(access.member, gained, ends)
    _require_free_name(access, changed)
    if _size(changed) > _size(role):
        require_room(without_role(account.roles, role), changed)
    with_change = replace(account, roles=with_role(account.roles, changed))
    fact = Fact(
        payload=team.RoleChanged(role_id=changed.role_id, name=changed.name),
        resource=changed.ref(),
        before=role.shown(),
        after=changed.shown(),
        policy_objects=(with_change.policy_object(),),
    )
    return with_change, changed, fact


def delete(
    access: AccountAccess,
    role: CustomRole,
    *,
    replacement_id: str | None,
    members: Sequence[Membership],
    invitations: Sequence[Invitation],
) -> DeletedRole:
    """Delete the role; `members` and pending `invitations` have the replacement from then on.

    Raises:
        RoleInUse: someone has the role, and there is no replacement.
        RoleUnknown: the replacement cannot be assigned, or is the role itself.
        GrantsExceeded: the caller does not hold what the replacement gives (`B5`).
        EndExceeded: a membership that gains by it lasts longer than the caller's.
    """
    if replacement_id is None:
        if members or invitations:
            raise RoleInUse(members, invitations, named=_sees_members(access))
        return _deleted(access, role)
    others = without_role(access.account.roles, role)
    catalog = access.catalog.with_roles({other.role_id: other for other in others})
    replacement = assignable_role(catalog, replacement_id, pointer="/query/replacement")
    if members or invitations:
        require_to_give(access.state, access.member, replacement.id, now=access.now)
        gained = grants_gained(_matrix(access, role), role_grants(access.state, replacement.id))
        require_ends(access.member, gained, ends_of(members, invitations))
    moved = [
        change_role(
            member,
            role=replacement,
            catalog=access.catalog,
            account_name=access.account.name,
        )
        for member in members
    ]
    return _deleted(
        access,
        role,
        replacement=replacement,
        moved=moved,
        invitations=[replace(invitation, role=replacement.id) for invitation in invitations],
    )


def _deleted(
    access: AccountAccess,
    role: CustomRole,
    *,
    replacement: Role | None = None,
    moved: Sequence[tuple[Membership, Fact]] = (),
    invitations: Sequence[Invitation] = (),
) -> DeletedRole:
    """Delete the role after the members' own facts, so that each always has one."""
    account = replace(access.account, roles=without_role(access.account.roles, role))
    fact = Fact(
        payload=team.RoleDeleted(
            role_id=role.role_id,
            name=role.name,
            replacement=None if replacement is None else replacement.id,
        ),
        resource=role.ref(),
        before=role.shown(),
        after=None
        if replacement is None
        else {
            "replacement": replacement.id,
            "members": len(moved),
            "invitations": len(invitations),
        },
        policy_objects=(account.policy_object(),),
    )
    return DeletedRole(
        account=account,
        members=tuple(member for member, _ in moved),
        invitations=tuple(invitations),
        facts=(*(change for _, change in moved), fact),
    )


def require_room(others: Sequence[CustomRole], role: CustomRole) -> None:
    """Check that the row of the account has room for the role beside the others.

    Raises:
        RolesTooLarge: it does not.
    """
    together = _size(role) + sum(_size(other) for other in others)
    if _size(role) > MAX_ROLE_BYTES or together > MAX_ROLES_BYTES:
        raise RolesTooLarge(limit=MAX_ROLES_BYTES, one=MAX_ROLE_BYTES)


def ends_of(
    members: Sequence[Membership], invitations: Sequence[Invitation]
) -> list[datetime | None]:
    """When the memberships end, and those that the invitations open; `None` is without an end."""
    return [
        *(member.expires_at for member in members),
        *(invitation.membership_expires_at for invitation in invitations),
    ]


def _sees_members(access: AccountAccess) -> bool:
    """Whether the caller may learn who has the role."""
    subject, now = Subject(access.member.user_id), milliseconds(access.now)
    return decide(access.state, subject, SEE_MEMBERS, Resource(), now=now).allowed


def _matrix(access: AccountAccess, role: CustomRole) -> Matrix:
    """What the role grants."""
    grants = access.catalog.catalog.parse_grants(role.grants)
    return access.catalog.role_matrix(role.role_id, grants)


def _size(role: CustomRole) -> int:
    """The bytes of a role as JSON, with every letter beyond ASCII escaped."""
    return len(json.dumps(role.shown()))


def _require_free_name(access: AccountAccess, role: CustomRole) -> None:
    others = [other for other in access.catalog.all_roles() if other.id != role.role_id]
    taken = {name_key(other.title) for other in others} | {name_key(other.id) for other in others}
    if name_key(role.name) in taken:
        raise RoleNameTaken
