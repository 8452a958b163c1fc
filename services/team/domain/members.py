"""Memberships: how a role changes, and how a membership ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rolecall import CompiledCatalog, MembershipStatus, Role
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.truncated_ids import truncated_ids
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, MembershipId, ProjectId, UserId
from shared.problems import Refusal, RefusalKind

MAX_IDENTITIES = 50
"""The subjects of issuers that are kept of one member, the newest."""

Attribute = str | bool | int | float
"""The value of a member's attribute."""


class OwnerProtected(Refusal):
    """The owner is never demoted, suspended or removed (`Ci7`, `Nv20`)."""

    kind = RefusalKind.CONFLICT
    code = "owner-protected"
    forbids = True
    detail = (
        "The owner's role cannot be changed. The owner cannot be removed or suspended, and the"
        " owner's membership has no end."
    )


class OwnerCannotLeave(Refusal):
    """An account always has exactly one owner (`Nv7`)."""

    kind = RefusalKind.CONFLICT
    code = "owner-cannot-leave"
    forbids = True
    detail = "The owner cannot leave the account. Transfer the ownership to another member first."


class MemberLimit(Refusal):
    """The catalog's limit: memberships other than the owner's, and open invitations (`Nv12`)."""

    kind = RefusalKind.CONFLICT
    code = "member-limit"
    detail = (
        "The account has reached its limit of {limit} members and open invitations. Remove a member"
        " or delete an invitation first."
    )


class NoFreeSeat(MemberLimit):
    """`MemberLimit`, as the invitee is told it."""

    detail = "The team has no free seat at the moment. Ask the person who invited you."


@dataclass(frozen=True, kw_only=True)
class Membership:
    """A user in an account. `membership_id` is new at each join, so nothing old returns with it.

    `email` (with its comparison key) and `name` are copies for people to read. One decision rests
    on them: an address that is a member's is not invited again. `external_id` is the platform's own
    id, as the last provisioning by one gave it; a check may name the member by it. `last_active_at`
    is the member's last request, or decision about them, to within some minutes; no decision rests
    on it. `identities` are digests of issuer and subject by which the member has signed in through
    the account's connections: they are known again by these after the membership.
    """

    account_id: AccountId
    user_id: UserId
    membership_id: MembershipId
    role: str
    email: str
    email_key: str
    name: str
    joined_at: datetime
    status: MembershipStatus = MembershipStatus.ACTIVE
    expires_at: datetime | None = None
    invited_by: UserId | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    external_id: str | None = None
    last_active_at: datetime | None = None
    identities: tuple[str, ...] = ()

    def expired(self, now: datetime) -> bool:
        """Whether its time is over (`B4`)."""
        return self.expires_at is not None and self.expires_at <= now

    def in_force(self, now: datetime) -> bool:
        """Whether it gives anything: it is neither suspended nor over."""
        return self.status is MembershipStatus.ACTIVE and not self.expired(now)

    def policy_object(self) -> PolicyObject:
        """What authz knows of the membership."""
        known = {name: getattr(self, name) for name in policy_objects.MemberObject.model_fields}
        known["attributes"] = dict(self.attributes)
        return member_object(self.account_id, self.user_id, known)

    def gone(self) -> PolicyObject:
        """The policy object that ends the membership and its overrides."""
        return PolicyObject(
            kind=PolicyObjectKind.MEMBER, id=self.user_id, account_id=self.account_id, state=None
        )

    def ref(self) -> ResourceRef:
        """The member as an audit record names them."""
        return ResourceRef(type="member", id=self.user_id, name=self.name)


@dataclass(frozen=True, kw_only=True)
class PersonTraits:
    """By what a person is known again: the user, the address, and subjects of issuers."""

    user_id: UserId
    email_key: str
    identities: tuple[str, ...] = ()


def traits_of(member: Membership) -> PersonTraits:
    """Return by what a member is known again."""
    return PersonTraits(
        user_id=member.user_id, email_key=member.email_key, identities=member.identities
    )


def member_object(
    account_id: str, user_id: str, known: Mapping[str, Any], *, rev: int = 0
) -> PolicyObject:
    """What authz knows of a membership, of its fields by name; those without a value may lack."""
    return PolicyObject(
        kind=PolicyObjectKind.MEMBER,
        id=user_id,
        account_id=account_id,
        rev=rev,
        state=policy_objects.MemberObject.model_validate(known).model_dump(mode="json"),
    )


def change_role(
    member: Membership,
    *,
    role: Role,
    catalog: CompiledCatalog,
    account_name: str,
    catalog_title: str | None = None,
    notify: bool = True,
) -> tuple[Membership, Fact]:
    """Give the member another role (`Ci3`, `Nv16`); `member_rules` has checked that it may be.

    `catalog` is where the role is from; `catalog_title` tells that the account moves there.
    """
    changed = replace(member, role=role.id)
    fact = Fact(
        payload=team.MemberRoleChanged(
            account_name=account_name,
            user_id=member.user_id,
            email=member.email,
            name=member.name,
            role=role.id,
            previous_role=member.role,
            role_title=role.title,
            ends_sessions=catalog.catalog.policies.role_change_ends_sessions,
            catalog_title=catalog_title,
            translations=translations(
                catalog, role_title=own_title(catalog, role.id), catalog_title=catalog_title
            ),
            notify=notify,
        ),
        resource=member.ref(),
        before={"role": member.role},
        after={"role": role.id},
        policy_objects=(changed.policy_object(),),
    )
    return changed, fact


def remove(
    member: Membership,
    *,
    is_owner: bool,
    overridden: Sequence[ProjectId],
    account_name: str,
    owned_resources: int = 0,
) -> Fact:
    """Remove the member (`Ro14`, `Ci5`, `Nv17`); `overridden` are the projects of their overrides.

    `owned_resources` keep the former member as their owner, until they are reassigned.

    Raises:
        OwnerProtected: the member is the owner.
    """
    if is_owner:
        raise OwnerProtected
    return _ended(team.MemberRemoved, member, overridden, account_name, owned_resources)


def leave(
    member: Membership,
    *,
    is_owner: bool,
    overridden: Sequence[ProjectId],
    account_name: str,
    manager_emails: Sequence[str],
    owned_resources: int = 0,
) -> Fact:
    """End the membership because the member leaves; `manager_emails` are told by mail.

    `owned_resources` are as in a removal.

    Raises:
        OwnerCannotLeave: the member is the owner.
    """
    if is_owner:
        raise OwnerCannotLeave
    fact = _ended(team.MemberLeft, member, overridden, account_name, owned_resources)
    told = fact.payload.model_copy(update={"manager_emails": tuple(manager_emails)})
    return replace(fact, payload=told)


def require_seat(*, taken: int, limit: int, refusal: type[MemberLimit] = MemberLimit) -> None:
    """Check that one more member or open invitation fits under the catalog's limit (`Nv12`).

    Raises:
        MemberLimit: all seats are taken; `refusal` says it in the words for the caller.
    """
    if taken >= limit:
        raise refusal(limit=limit)


def _ended(
    payload: type[team.MemberRemoved] | type[team.MemberLeft],
    member: Membership,
    overridden: Sequence[ProjectId],
    account_name: str,
    owned_resources: int,
) -> Fact:
    owned = {"owned_resources": owned_resources} if owned_resources else {}
    return Fact(
        payload=payload(
            account_name=account_name,
            user_id=member.user_id,
            email=member.email,
            name=member.name,
            role=member.role,
        ),
        resource=member.ref(),
        before={
            "role": member.role,
            "membership_id": member.membership_id,
            "overridden_in": truncated_ids(overridden),
            **owned,
        },
        policy_objects=(member.gone(),),
    )
