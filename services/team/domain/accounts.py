"""Accounts: how they are created and renamed, and how a personal account becomes a team."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rolecall import AccountKind, AccountStatus, Catalog, CompiledCatalog, Conversion
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrails import Guardrail
from services.team.domain.members import Membership
from services.team.domain.ownership_offers import OwnershipOffer
from shared.addresses import Address
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, MembershipId, UserId
from shared.problems import Refusal, RefusalKind


class AlreadyATeam(Refusal):
    """Only a personal account converts."""

    kind = RefusalKind.CONFLICT
    code = "already-a-team"
    detail = "This account is a team already. Only a personal account can be converted."


class NotATeam(Refusal):
    """Under this catalog a personal account is converted before anyone is invited."""

    kind = RefusalKind.CONFLICT
    code = "not-a-team"
    detail = "This is a personal account. Convert it to a team before you invite members."


class OwnerOnly(Refusal):
    """Only the owner decides what an account is."""

    kind = RefusalKind.DENIED
    code = "owner-only"
    detail = "Only the owner of the account can do this. Ask the owner."


@dataclass(frozen=True, kw_only=True)
class Account:
    """An owner of resources. `catalog` is a published version; `account_rev` counts its facts.

    `roles` are the custom ones. They stand in the account's row because each decision needs them
    together with it, and the `guardrails` because each change does. `resource_count` counts its
    registered resources. `deletes_at` is when the rows of a deleted account go, `purging` whether
    that has begun: then nothing brings the account back. `offer` is the one of the ownership.
    """

    account_id: AccountId
    kind: AccountKind
    status: AccountStatus
    name: str
    owner_user_id: UserId
    catalog: str
    account_rev: int
    created_at: datetime
    roles: tuple[CustomRole, ...] = ()
    resource_count: int = 0
    suspended_at: datetime | None = None
    suspension: str | None = None
    """Why the account is suspended, in words for its owner."""
    deletes_at: datetime | None = None
    purging: bool = False
    offer: OwnershipOffer | None = None
    guardrails: tuple[Guardrail, ...] = ()
    require_second_factor: bool = False
    """Whether members without a second factor are denied everything."""

    def policy_state(self) -> policy_objects.AccountObject:
        """What authz knows of the account."""
        return policy_objects.AccountObject(
            kind=self.kind.value,
            status=self.status.value,
            owner_user_id=self.owner_user_id,
            catalog=self.catalog,
            roles={role.role_id: role.policy_object() for role in self.roles},
            require_second_factor=self.require_second_factor,
        )

    def policy_object(self) -> PolicyObject:
        """The policy object that tells authz of the account."""
        return PolicyObject(
            kind=PolicyObjectKind.ACCOUNT,
            id=self.account_id,
            account_id=self.account_id,
            state=self.policy_state().model_dump(mode="json"),
        )

    def ref(self) -> ResourceRef:
        """The account as an audit record names it."""
        return ResourceRef(type="account", id=self.account_id, name=self.name)


def open_personal(
    *,
    account_id: AccountId,
    user_id: UserId,
    membership_id: MembershipId,
    address: Address,
    name: str,
    catalog: Catalog,
    now: datetime,
    number: int = 0,
) -> tuple[Account, Membership, Fact]:
    """Create a verified user's personal account, with the user as its owner (`Rp1`, `Ro6`).

    `number` is that of an account which takes the place of an earlier one.
    """
    account = Account(
        account_id=account_id,
        kind=AccountKind.PERSONAL,
        status=AccountStatus.ACTIVE,
        name=name,
        owner_user_id=user_id,
        catalog=catalog.id,
        account_rev=0,
        created_at=now,
    )
    return _opened(
        account, membership_id, address, name=name, role=catalog.owner_role, number=number
    )


def open_team(
    *,
    account_id: AccountId,
    user_id: UserId,
    membership_id: MembershipId,
    address: Address,
    user_name: str,
    name: str,
    catalog: CompiledCatalog,
    now: datetime,
) -> tuple[Account, Membership, Fact]:
    """Create a further account of a user: a team that they own."""
    account = Account(
        account_id=account_id,
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        name=name,
        owner_user_id=user_id,
        catalog=catalog.id,
        account_rev=0,
        created_at=now,
    )
    role = catalog.catalog.owner_role
    return _opened(account, membership_id, address, name=user_name, role=role)


def rename(account: Account, name: str) -> tuple[Account, Fact]:
    """Give the account another name."""
    renamed = replace(account, name=name)
    fact = Fact(
        payload=team.AccountRenamed(account_name=name),
        resource=renamed.ref(),
        before={"name": account.name},
        after={"name": name},
    )
    return renamed, fact


def require_owner(account: Account, member: Membership) -> None:
    """Check that the member owns the account.

    Raises:
        OwnerOnly: they do not.
    """
    if member.user_id != account.owner_user_id:
        raise OwnerOnly


def require_personal(account: Account) -> None:
    """Check that the account can be converted.

    Raises:
        AlreadyATeam: it is a team.
    """
    if account.kind is AccountKind.TEAM:
        raise AlreadyATeam


def convert(
    account: Account,
    member: Membership,
    *,
    name: str,
    catalog: CompiledCatalog,
    roles: tuple[CustomRole, ...],
) -> tuple[Account, Membership, Fact | None]:
    """Make a team of the personal account: same id, same resources (`Rp2`, `Nv1`).

    `member` asks for it; `catalog` is the one that the account has from then on, with these custom
    roles. Where the catalog has no conversion, only name and catalog are set. A request that would
    change nothing has no fact.

    Raises:
        OwnerOnly: `member` is not the owner.
        AlreadyATeam: the account is a team.
    """
    require_owner(account, member)
    require_personal(account)
    no_step = catalog.catalog.policies.conversion is Conversion.NONE
    converted = replace(
        account,
        kind=AccountKind.PERSONAL if no_step else AccountKind.TEAM,
        name=name,
        catalog=catalog.id,
        roles=roles,
    )
    still_owner = replace(member, role=catalog.catalog.owner_role)
    if (converted, still_owner) == (account, member):
        return account, member, None
    fact = _converted(account, converted, was=member, owner=still_owner)
    return converted, still_owner, fact


def as_team(account: Account, catalog: CompiledCatalog) -> tuple[Account, Sequence[Fact]]:
    """The account that an invitation belongs to: a team, if need be from this invitation on.

    Where the catalog has no conversion, the first invitation makes the team.

    Raises:
        NotATeam: the personal account has to be converted first.
    """
    if account.kind is AccountKind.TEAM:
        return account, ()
    if catalog.catalog.policies.conversion is not Conversion.NONE:
        raise NotATeam
    converted = replace(account, kind=AccountKind.TEAM)
    return converted, (_converted(account, converted),)


def _opened(
    account: Account,
    membership_id: MembershipId,
    address: Address,
    *,
    name: str,
    role: str,
    number: int = 0,
) -> tuple[Account, Membership, Fact]:
    """The new account with its owner, who has this name and role."""
    kind = account.kind.value
    owner = Membership(
        account_id=account.account_id,
        user_id=account.owner_user_id,
        membership_id=membership_id,
        role=role,
        email=address.typed,
        email_key=address.key,
        name=name,
        joined_at=account.created_at,
    )
    fact = Fact(
        payload=team.AccountCreated(
            account_name=account.name,
            kind=kind,
            owner_user_id=account.owner_user_id,
            catalog=account.catalog,
            number=number,
        ),
        resource=account.ref(),
        after={"kind": kind, "name": account.name, "catalog": account.catalog},
        policy_objects=(account.policy_object(), owner.policy_object()),
    )
    return account, owner, fact


def _converted(
    before: Account,
    after: Account,
    *,
    was: Membership | None = None,
    owner: Membership | None = None,
) -> Fact:
    return Fact(
        payload=team.AccountConverted(
            account_name=after.name, kind=after.kind.value, catalog=after.catalog
        ),
        resource=after.ref(),
        before=_shown(before, was),
        after=_shown(after, owner),
        policy_objects=(after.policy_object(),)
        if owner is None
        else (after.policy_object(), owner.policy_object()),
    )


def _shown(account: Account, owner: Membership | None) -> dict[str, Any]:
    shown = {"kind": account.kind.value, "name": account.name, "catalog": account.catalog}
    return shown if owner is None else shown | {"owner_role": owner.role}
