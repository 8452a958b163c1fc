"""Rules that need the acting member: another role or end, suspension, and who manages members."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import Matrix, MembershipStatus, Resource, Subject, decide, milliseconds
from rolecall.core.json_values import same_json
from services.team.domain import member_facts, members
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import (
    account_state,
    grants_gained,
    member_state,
    require_end,
    require_to_give,
    require_to_grant,
)
from services.team.domain.member_attributes import check_attributes, require_to_set
from services.team.domain.members import Attribute, Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.roles import assignable_role
from shared.contracts.facts import Fact
from shared.problems import Invalid, Refusal, RefusalKind

REMOVE = "member:remove"

MAX_MANAGERS = 20
"""The most members who are told that a member left; the owner is among them."""


class NotYourself(Refusal):
    """A member cannot suspend themselves: they could not undo it."""

    kind = RefusalKind.CONFLICT
    code = "not-yourself"
    detail = "You cannot suspend yourself. Leave the account, or ask another member."


@dataclass(frozen=True, kw_only=True)
class End:
    """When a membership ends; `None`: it does not end by itself."""

    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MemberChange:
    """What is to change of a member; `None` leaves a part as it is."""

    role: str | None = None
    end: End | None = None
    attributes: Mapping[str, Attribute] | None = None


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


def change(
    access: AccountAccess,
    member: Membership,
    overrides: Sequence[ProjectOverride],
    wanted: MemberChange,
    *,
    all_overrides: Sequence[ProjectOverride],
) -> tuple[Membership, tuple[Fact, ...]]:
    """Give the member another role, another end or other attributes.

    There is a fact for each part that differs. `overrides` are the member's in all projects,
    and `all_overrides` those of all members, which count where attributes change.

    Raises:
        RoleUnknown: the account has no such role, or it cannot be assigned.
        OwnerProtected: the member is the owner, whose role and end do not change.
        GrantsExceeded: the caller does not hold what they would give, or what an attribute decides.
        EndExceeded: the caller's own membership ends before what they would give.
        Invalid: the end is past, or the attributes do not fit their bounds.
    """
    account_name, facts = access.account.name, []
    end = member.expires_at if wanted.end is None else wanted.end.at
    now_with_end = replace(member, expires_at=end)
    changed, fact = _change_role(access, now_with_end, member, wanted.role)
    if fact is not None:
        facts.append(fact)
    if wanted.end is not None and end != member.expires_at:
        _require_to_end(access, member, changed, overrides)
        facts.append(member_facts.set_end(member, changed, account_name=account_name))
    if wanted.attributes is not None:
        check_attributes(wanted.attributes)
        if not same_json(wanted.attributes, member.attributes):
            require_to_set(access, changed, all_overrides, wanted.attributes)
            changed = replace(changed, attributes=dict(wanted.attributes))
            facts.append(member_facts.set_attributes(member, changed, account_name=account_name))
    return changed, tuple(facts)


def suspend(access: AccountAccess, member: Membership) -> tuple[Membership, Fact | None]:
    """Suspend the member; there is no fact if they are suspended already.

    Raises:
        OwnerProtected: the member is the owner.
        NotYourself: the member is the caller.
    """
    if access.is_owner(member):
        raise members.OwnerProtected
    if member.user_id == access.member.user_id:
        raise NotYourself
    if member.status is MembershipStatus.SUSPENDED:
        return member, None
    return member_facts.suspend(member, account_name=access.account.name)


def resume(
    access: AccountAccess, member: Membership, overrides: Sequence[ProjectOverride]
) -> tuple[Membership, Fact | None]:
    """Resume the member; there is no fact if they are not suspended.

    Raises:
        GrantsExceeded, EndExceeded: the caller cannot give what the member gets back.
    """
    if member.status is not MembershipStatus.SUSPENDED:
        return member, None
    require_to_restore(access, member, overrides)
    return member_facts.resume(member, account_name=access.account.name)


def require_to_restore(
    access: AccountAccess, member: Membership, overrides: Sequence[ProjectOverride]
) -> None:
    """Check that the caller may give all that the membership gives, until its end (`B5`).

    Raises:
        GrantsExceeded: the caller does not hold the role's grants, or an override's in its project.
        EndExceeded: the caller's own membership ends earlier.
    """
    if access.catalog.role(member.role) is not None:
        require_to_give(access.state, access.member, member.role, now=access.now)
    require_end(access.member, member.expires_at)
    given = member_state(access.catalog, member, overrides).overrides
    for override in overrides:
        if override.project_id in given and not override.expired(access.now):
            require_to_grant(
                access.state,
                access.member,
                override.project_id,
                given[override.project_id].matrix,
                now=access.now,
                until=override.expires_at,
            )


def _change_role(
    access: AccountAccess, member: Membership, before: Membership, role_id: str | None
) -> tuple[Membership, Fact | None]:
    """Give the role to `member`, who has the new end already; `before` is stored."""
    if role_id is None:
        return member, None
    role = assignable_role(access.catalog, role_id)
    if access.is_owner(member):
        raise members.OwnerProtected
    if role.id == member.role:
        return member, None
    require_to_give(access.state, access.member, role.id, now=access.now)
    held = access.catalog.matrix(before.role) or Matrix(source="", all_mask=0, self_mask=0)
    given = access.catalog.matrix(role.id)
    gained = None if given is None else grants_gained(held, given)
    if gained is not None and not gained.empty:
        require_end(access.member, member.expires_at)
    return members.change_role(
        member,
        role=role,
        catalog=access.catalog,
        account_name=access.account.name,
    )


def _require_to_end(
    access: AccountAccess,
    before: Membership,
    after: Membership,
    overrides: Sequence[ProjectOverride],
) -> None:
    """Check the new end. A later one gives again what the membership gives; an earlier one not.

    Raises:
        OwnerProtected, Invalid, GrantsExceeded, EndExceeded: as `change`.
    """
    if access.is_owner(before):
        raise members.OwnerProtected
    end, earlier_end = after.expires_at, before.expires_at
    if end is not None and end <= access.now:
        raise Invalid(
            errors=[
                (
                    "/expires_at",
                    "Must be in the future. Remove or suspend the member to end it now.",
                )
            ]
        )
    if earlier_end is not None and (end is None or end > earlier_end):
        require_to_restore(access, after, overrides)
