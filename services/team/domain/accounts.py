"""Accounts: how they are created and renamed, and how a personal account becomes a team."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rolecall import (
    SHIPPED_CATALOGS,
    AccountKind,
    AccountStatus,
    Catalog,
    CompiledCatalog,
    Conversion,
)
from services.team.domain.custom_roles import CustomRole
from services.team.domain.members import Membership
from shared.addresses import Address
from shared.contracts import policy_objects, team
from shared.contracts.facts import Fact, ResourceRef
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.ids import AccountId, MembershipId, UserId
from shared.problems import Invalid, Refusal, RefusalKind


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


class RolesOfThisCatalog(Refusal):
    """The grants of custom roles have a meaning in one catalog only."""

    kind = RefusalKind.CONFLICT
    code = "roles-of-this-catalog"
    detail = (
        "The account has custom roles, which name entries of its present catalog. Delete them"
        " before you choose another catalog."
    )


class OwnerOnly(Refusal):
    """Only the owner converts an account."""

    kind = RefusalKind.DENIED
    code = "owner-only"
    detail = "Only the owner can convert this account. Ask the owner."


@dataclass(frozen=True, kw_only=True)
class Account:
    """An owner of resources. `catalog` is a published version; `account_rev` counts its facts.

    `roles` are the custom ones. They stand in the account's row because each decision needs them
    together with it.
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

    def policy_object(self) -> PolicyObject:
        """What authz knows of the account."""
        state = policy_objects.AccountObject(
            kind=self.kind.value,
            status=self.status.value,
            owner_user_id=self.owner_user_id,
            catalog=self.catalog,
            roles={role.role_id: role.policy_object() for role in self.roles},
        )
        return PolicyObject(
            kind=PolicyObjectKind.ACCOUNT,
            id=self.account_id,
            account_id=self.account_id,
            state=state.model_dump(mode="json"),
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
) -> tuple[Account, Membership, Fact]:
    """Create a verified user's personal account, with the user as its owner (`Rp1`, `Ro6`)."""
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
    owner = Membership(
        account_id=account_id,
        user_id=user_id,
        membership_id=membership_id,
        role=catalog.owner_role,
        email=address.typed,
        email_key=address.key,
        name=name,
        joined_at=now,
        last_active_at=now,
    )
    fact = Fact(
        payload=team.AccountCreated(
            account_name=name, kind="personal", owner_user_id=user_id, catalog=catalog.id
        ),
        resource=account.ref(),
        after={"kind": "personal", "name": name, "catalog": catalog.id},
        policy_objects=(account.policy_object(), owner.policy_object()),
    )
    return account, owner, fact


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


def convert(
    account: Account, member: Membership, *, name: str, catalog: CompiledCatalog | None
) -> tuple[Account, Membership, Fact | None]:
    """Make a team of the personal account: same id, same resources (`Rp2`, `Nv1`).

    `member` asks for it; `catalog` is the one that the account has from then on, `None` if no such
    catalog is published. Where the catalog has no conversion, only name and catalog are set. A
    request that would change nothing has no fact.

    Raises:
        OwnerOnly: `member` is not the owner.
        Invalid: no such catalog is published.
        AlreadyATeam: the account is a team.
        RolesOfThisCatalog: the account has custom roles, and the catalog is another one.
    """
    if member.user_id != account.owner_user_id:
        raise OwnerOnly
    if catalog is None:
        shipped = ", ".join(SHIPPED_CATALOGS)
        message = f"There is no catalog with this name. Those of Rolecall are: {shipped}."
        raise Invalid(errors=[("/catalog", message)])
    if account.kind is AccountKind.TEAM:
        raise AlreadyATeam
    if account.roles and catalog.id != account.catalog:
        raise RolesOfThisCatalog
    no_step = catalog.catalog.policies.conversion is Conversion.NONE
    converted = replace(
        account,
        kind=AccountKind.PERSONAL if no_step else AccountKind.TEAM,
        name=name,
        catalog=catalog.id,
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
