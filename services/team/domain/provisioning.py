"""Provisioning: what a service client of the platform makes of the members of an account.

The client is not a member, so it gives any role that members can have (`B5` bounds what members
give). It does not touch the owner's role, end or membership.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rolecall import CompiledCatalog, Role
from rolecall.core.json_values import same_json
from services.team.domain import invitations, member_facts, members
from services.team.domain.accounts import Account, as_team
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.invitations import Invitation
from services.team.domain.member_attributes import check_attributes
from services.team.domain.member_rules import MemberChange
from services.team.domain.members import Membership, OwnerProtected, require_seat
from services.team.domain.roles import assignable_role
from shared.addresses import Address
from shared.contracts.facts import Fact
from shared.contracts.team_provisioning import MemberProvisioned
from shared.ids import ClientId, MembershipId, ProjectId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

MEMBERS_PER_BATCH = 1000


class UserUnknown(Refusal):
    """The platform has no such user."""

    kind = RefusalKind.INVALID
    code = "user-unknown"
    detail = (
        "No user has this id. Provision the user before the membership. A client knows the external"
        " ids that it has provisioned itself."
    )


class MemberOutcome(StrEnum):
    """What became of one entry."""

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    NOT_DONE = "not_done"
    """The time of the request was over before."""


@dataclass(frozen=True, kw_only=True)
class MemberEntry:
    """What a client sends about one member, who is named by an external id or by the user's id."""

    external_id: str | None
    user_id: UserId | None
    change: MemberChange
    remove: bool = False


@dataclass(frozen=True, kw_only=True)
class JoiningUser:
    """A user as identity describes them; `name` is the newest one that is known."""

    user_id: UserId
    address: Address
    name: str


@dataclass(frozen=True, kw_only=True)
class Provisioning:
    """One account while a client provisions its members, and what holds for all of them."""

    account: Account
    catalog: CompiledCatalog
    client_id: ClientId
    notify: bool
    now: datetime


@dataclass(frozen=True, kw_only=True)
class ProvisionedMember:
    """The member of an entry before and after it, and what else changes.

    `account` is a team from the first member on, where the catalog has no conversion. `closed` is
    the invitation of the address. `seats` is how many more are taken.
    """

    status: MemberOutcome
    account: Account
    before: Membership | None = None
    after: Membership | None = None
    closed: Invitation | None = None
    seats: int = 0
    facts: tuple[Fact, ...] = ()


def add(
    at: Provisioning,
    user: JoiningUser,
    change: MemberChange,
    *,
    external_id: str | None,
    membership_id: MembershipId,
    pending: Invitation | None,
    taken: int,
) -> ProvisionedMember:
    """Make the user a member. Their invitation, if there is one, is closed and leaves its seat.

    Raises:
        NotATeam: the personal account has to be converted first.
        RoleUnknown: the account has no such role, or it cannot be assigned.
        Invalid: the change names no role, its end is past, or its attributes break a bound.
        MemberLimit: all seats are taken.
    """
    account, team_facts = as_team(at.account, at.catalog)
    if change.role is None:
        raise Invalid(errors=[("/role", "A new member needs a role. Name one.")])
    role = assignable_role(at.catalog, change.role)
    _check(at, change)
    freed = 0 if pending is None or not pending.open(at.now) else 1
    require_seat(taken=taken - freed, limit=at.catalog.catalog.policies.member_limit)
    member = Membership(
        account_id=account.account_id,
        user_id=user.user_id,
        membership_id=membership_id,
        role=role.id,
        email=user.address.typed,
        email_key=user.address.key,
        name=user.name,
        joined_at=at.now,
        expires_at=None if change.end is None else change.end.at,
        attributes=dict(change.attributes or {}),
        external_id=external_id,
    )
    closed: Invitation | None = None
    facts = [*team_facts]
    if pending is not None:
        closed, fact = invitations.revoke(pending, account=account, reason="provisioned")
        facts.append(fact)
    return ProvisionedMember(
        status=MemberOutcome.ADDED,
        account=account,
        after=member,
        closed=closed,
        seats=1 - freed,
        facts=(*facts, _added(at, member, role)),
    )


def update(
    at: Provisioning, member: Membership, change: MemberChange, *, external_id: str | None = None
) -> ProvisionedMember:
    """Give the member another role, another end or other attributes; what is the same stays.

    An `external_id` that names the member becomes theirs.

    Raises:
        RoleUnknown, Invalid: as `add`.
        OwnerProtected: the member is the owner, whose role and end do not change.
    """
    role = None
    if change.role is not None and change.role != member.role:
        role = assignable_role(at.catalog, change.role)
    end = member.expires_at if change.end is None else change.end.at
    if _is_owner(at, member) and (role is not None or end != member.expires_at):
        raise OwnerProtected
    ends = end != member.expires_at
    _check(at, change if ends else replace(change, end=None))
    name, facts, after = at.account.name, [], replace(member, expires_at=end)
    if role is not None:
        after, fact = members.change_role(
            after,
            role=role,
            catalog=at.catalog,
            account_name=name,
            notify=at.notify,
        )
        facts.append(fact)
    if ends:
        ended = member_facts.set_end(member, after, account_name=name, notify=at.notify)
        facts.append(ended)
    wanted = change.attributes
    if wanted is not None and not same_json(wanted, member.attributes):
        after = replace(after, attributes=dict(wanted))
        facts.append(member_facts.set_attributes(member, after, account_name=name))
    if external_id is not None and external_id != member.external_id:
        after, fact = member_facts.link(after, external_id=external_id, account_name=name)
        facts.append(fact)
    return ProvisionedMember(
        status=MemberOutcome.UPDATED if facts else MemberOutcome.UNCHANGED,
        account=at.account,
        before=member,
        after=after,
        facts=tuple(facts),
    )


def remove(
    at: Provisioning, member: Membership | None, *, overridden: tuple[ProjectId, ...] = ()
) -> ProvisionedMember:
    """Remove the member, if the user is one; `overridden` are the projects of their overrides.

    Raises:
        OwnerProtected: the member is the owner.
    """
    if member is None:
        return ProvisionedMember(status=MemberOutcome.UNCHANGED, account=at.account)
    fact = members.remove(
        member,
        is_owner=_is_owner(at, member),
        overridden=overridden,
        account_name=at.account.name,
    )
    return ProvisionedMember(
        status=MemberOutcome.REMOVED,
        account=at.account,
        before=member,
        seats=-1,
        facts=(fact,),
    )


def _check(at: Provisioning, change: MemberChange) -> None:
    if change.attributes is not None:
        check_attributes(change.attributes)
    if change.end is not None and change.end.at is not None and change.end.at <= at.now:
        raise Invalid(errors=[("/expires_at", _PAST)])


def _is_owner(at: Provisioning, member: Membership) -> bool:
    return member.user_id == at.account.owner_user_id


def _added(at: Provisioning, member: Membership, role: Role) -> Fact:
    return Fact(
        payload=MemberProvisioned(
            account_name=at.account.name,
            user_id=member.user_id,
            email=member.email,
            name=member.name,
            role=role.id,
            role_title=role.title,
            translations=translations(at.catalog, role_title=own_title(at.catalog, role.id)),
            client_id=at.client_id,
            expires_at=member.expires_at,
            notify=at.notify,
        ),
        resource=member.ref(),
        after={
            "role": role.id,
            "membership_id": member.membership_id,
            "expires_at": member.expires_at,
            "attributes": dict(member.attributes),
            "external_id": member.external_id,
        },
        policy_objects=(member.policy_object(),),
    )


_PAST = "Must be in the future. Remove the member to end the membership now."
