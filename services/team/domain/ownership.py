"""The transfer of an account's ownership, in two steps (`Nv7`, `B3`).

The owner offers the ownership, and the receiver accepts it. Until then nothing changes. The account
has one owner in every state that is saved.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from rolecall import AccountKind, AccountStatus, MembershipStatus
from services.team.domain import members, overrides
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.catalog_texts import own_title, translations
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.ownership_offers import OwnershipOffer
from services.team.domain.ownership_refusals import (
    NoTransfer,
    ReceiverUnfit,
    TransferExpired,
    TransferOwnerOnly,
    TransferPending,
)
from services.team.domain.projects import Project
from services.team.domain.roles import role_title
from shared.contracts import team_ownership
from shared.contracts.facts import Fact, Payload, content_time
from shared.contracts.team_ownership import OfferEnd
from shared.ids import AccountId, UserId

PayloadT = TypeVar("PayloadT", bound=Payload)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """The account with its new owner, both memberships, and the facts of the change."""

    account: Account
    owner: Membership
    former_owner: Membership
    facts: tuple[Fact, ...]


def offer(
    access: AccountAccess, receiver: Membership | None, *, lifetime: timedelta
) -> tuple[Account, OwnershipOffer, tuple[Fact, ...]]:
    """Offer the ownership to a member; an offer that has expired ends first.

    Raises:
        TransferOwnerOnly: the caller is not the owner.
        ReceiverUnfit: the receiver is the owner, or not an active member.
        TransferPending: it is offered already.
    """
    account, owner, now = access.account, access.membership, access.now
    if not access.is_owner(owner):
        raise TransferOwnerOnly
    if receiver is None or access.is_owner(receiver) or not _active(receiver, now):
        raise ReceiverUnfit
    facts: list[Fact] = []
    if account.offer is not None:
        if account.offer.open(now):
            raise TransferPending(
                name=account.offer.name, expires_at=content_time(account.offer.expires_at)
            )
        account, ended = end(account, OfferEnd.EXPIRED)
        facts.append(ended)
    made = OwnershipOffer(
        user_id=receiver.user_id,
        membership_id=receiver.membership_id,
        name=receiver.name,
        email=receiver.email,
        owner_user_id=owner.user_id,
        owner_name=owner.name,
        owner_email=owner.email,
        offered_at=now,
        expires_at=now + lifetime,
    )
    title = role_title(access.catalog, access.catalog.catalog.owner_role)
    payload = team_ownership.OwnershipOffered(
        **_names(account, made),
        role_title=title,
        translations=translations(access.catalog, role_title=title),
        expires_at=made.expires_at,
    )
    after = {"offered_to": made.name, "expires_at": made.expires_at}
    facts.append(Fact(payload=payload, resource=account.ref(), after=after))
    return replace(account, offer=made), made, tuple(facts)


def cancel(access: AccountAccess) -> tuple[Account, Fact]:
    """Take the offer back.

    Raises:
        TransferOwnerOnly: the caller is not the owner.
        NoTransfer: there is no offer.
    """
    if not access.is_owner(access.membership):
        raise TransferOwnerOnly
    if access.account.offer is None:
        raise NoTransfer
    return _without_offer(access.account, team_ownership.OwnershipCancelled)


def decline(access: AccountAccess) -> tuple[Account, Fact]:
    """Decline the ownership.

    Raises:
        NoTransfer: it is not offered to the caller.
        TransferExpired: the offer is over.
    """
    require_offer(access)
    return _without_offer(access.account, team_ownership.OwnershipDeclined)


def accept(
    access: AccountAccess,
    former_owner: Membership,
    *,
    overridden: Sequence[tuple[ProjectOverride, Project]],
    personal_account_id: AccountId | None,
) -> Transfer:
    """Make the caller the owner, and give the former owner the role that the catalog names.

    An owner has no override and no end of membership: `overridden` are the caller's, which end.
    `personal_account_id` is the former owner's new personal account, if they get one.

    Raises:
        NoTransfer: the ownership is not offered to the caller.
        TransferExpired: the offer is over.
    """
    offered = require_offer(access)
    catalog = access.catalog.catalog
    account = replace(access.account, owner_user_id=offered.user_id, offer=None)
    owner = replace(access.membership, role=catalog.owner_role, expires_at=None)
    former = replace(former_owner, role=catalog.role_after_transfer)
    payload = team_ownership.OwnershipTransferred(
        **_names(account, offered),
        former_owner_role=former.role,
        former_owner_role_title=role_title(access.catalog, former.role),
        translations=translations(
            access.catalog, former_owner_role_title=own_title(access.catalog, former.role)
        ),
        personal_account_id=personal_account_id,
    )
    fact = Fact(
        payload=payload,
        resource=account.ref(),
        before={"owner_user_id": former.user_id, "owner": former.name},
        after={"owner_user_id": owner.user_id, "owner": owner.name},
        policy_objects=(account.policy_object(), owner.policy_object(), former.policy_object()),
    )
    changes = ((access.membership, owner), (former_owner, former))
    return Transfer(
        account=account,
        owner=owner,
        former_owner=former,
        facts=(
            fact,
            *(_role_changed(access, *change) for change in changes if _other_role(*change)),
            *(_override_ended(access, *each) for each in overridden),
        ),
    )


def require_offer(access: AccountAccess) -> OwnershipOffer:
    """The offer that waits for the caller's answer.

    Raises:
        NoTransfer: the ownership is not offered to the caller.
        TransferExpired: the offer is over.
    """
    offered = access.account.offer
    if offered is None or offered.membership_id != access.membership.membership_id:
        raise NoTransfer
    if not offered.open(access.now):
        raise TransferExpired
    return offered


def end(account: Account, reason: OfferEnd) -> tuple[Account, Fact]:
    """End the account's offer without an answer.

    Raises:
        NoTransfer: there is none.
    """
    return _without_offer(account, team_ownership.OwnershipOfferEnded, reason=reason)


def reason_to_end(account: Account, *, inactive: Collection[UserId]) -> OfferEnd | None:
    """Why the offer cannot stay after a change in which the users `inactive` stopped being active.

    An offer belongs to an active team and to an active member of it.
    """
    if account.offer is None:
        return None
    if account.status is not AccountStatus.ACTIVE or account.kind is not AccountKind.TEAM:
        return OfferEnd.ACCOUNT
    return OfferEnd.MEMBER if account.offer.user_id in inactive else None


def _without_offer(account: Account, payload: type[Payload], **more: Any) -> tuple[Account, Fact]:
    offered = account.offer
    if offered is None:
        raise NoTransfer
    fact = Fact(
        payload=payload(**_names(account, offered), **more),
        resource=account.ref(),
        before={"offered_to": offered.name, "expires_at": offered.expires_at},
    )
    return replace(account, offer=None), fact


def _names(account: Account, offered: OwnershipOffer) -> dict[str, str]:
    return {
        "account_name": account.name,
        "owner_user_id": offered.owner_user_id,
        "owner_name": offered.owner_name,
        "owner_email": offered.owner_email,
        "user_id": offered.user_id,
        "name": offered.name,
        "email": offered.email,
    }


def _active(member: Membership, now: datetime) -> bool:
    lasts = member.expires_at is None or now < member.expires_at
    return lasts and member.status is MembershipStatus.ACTIVE


def _other_role(before: Membership, after: Membership) -> bool:
    return before.role != after.role


def _role_changed(access: AccountAccess, before: Membership, after: Membership) -> Fact:
    """The fact of a role change, with the membership as the transfer leaves it."""
    role = access.catalog.role(after.role)
    if role is None:
        raise LookupError(f"{access.catalog.id} has no role {after.role}")
    _, fact = members.change_role(
        before,
        role=role,
        catalog=access.catalog,
        account_name=access.account.name,
    )
    return replace(
        fact,
        payload=_by_transfer(fact.payload),
        policy_objects=(after.policy_object(),),
    )


def _override_ended(access: AccountAccess, override: ProjectOverride, project: Project) -> Fact:
    fact = overrides.remove(
        override,
        member=access.membership,
        project=project,
        account_name=access.account.name,
        catalog=access.catalog,
    )
    return replace(fact, payload=_by_transfer(fact.payload))


def _by_transfer(payload: PayloadT) -> PayloadT:
    return payload.model_copy(update={"by_transfer": True})
