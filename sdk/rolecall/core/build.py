"""The one builder of policy state: what `decide` takes, made of stored rows or journal objects.

A service's database rows and the policy objects of its journal have the same fields. Both satisfy
the protocols below, so that both lead to the same `AccountState`. Where a field cannot be
understood, the answer is the one that can only deny.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from rolecall.core.condition_facts import NO_PROPERTIES, Properties
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.problems import CatalogError
from rolecall.core.registered import RegisteredResources
from rolecall.core.state import (
    AccountKind,
    AccountState,
    AccountStatus,
    Member,
    MembershipStatus,
    Override,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_NO_RESOURCES = RegisteredResources()


class AccountFields(Protocol):
    """The fields of an account."""

    @property
    def kind(self) -> str:
        """A value of `AccountKind`."""

    @property
    def status(self) -> str:
        """A value of `AccountStatus`."""

    @property
    def owner_user_id(self) -> str:
        """The user who owns the account."""


class MembershipFields(Protocol):
    """The fields of a membership."""

    @property
    def membership_id(self) -> str:
        """New at each join."""

    @property
    def role(self) -> str:
        """The id of a role of the account's catalog."""

    @property
    def status(self) -> str:
        """A value of `MembershipStatus`."""

    @property
    def expires_at(self) -> datetime | None:
        """The instant from which on the membership is over; `None`: it does not end by itself."""

    @property
    def attributes(self) -> Properties:
        """The member's properties, which conditions test."""


class OverrideFields(Protocol):
    """The fields of a project override."""

    @property
    def project_id(self) -> str:
        """The project inside which the grants replace the role's."""

    @property
    def user_id(self) -> str:
        """The member whose grants are replaced."""

    @property
    def membership_id(self) -> str:
        """The membership that the override was given to."""

    @property
    def grants(self) -> object:
        """Entry -> level -> scope, in the shape of a role's grants in a catalog file."""

    @property
    def expires_at(self) -> datetime | None:
        """The instant from which on the role decides again; `None`: no end."""


def build_account(
    account_id: str,
    account: AccountFields,
    members: Iterable[Member],
    projects: Iterable[str],
    *,
    catalog: CompiledCatalog,
    resources: RegisteredResources = _NO_RESOURCES,
) -> AccountState:
    """Build the state of one account from its fields and from members that are built.

    Raises:
        ValueError: kind or status is not a value that the decision core knows.
    """
    return AccountState(
        id=account_id,
        kind=AccountKind(account.kind),
        status=AccountStatus(account.status),
        owner_user_id=account.owner_user_id,
        catalog=catalog,
        members={member.user_id: member for member in members},
        projects=frozenset(projects),
        resources=resources,
    )


def build_member(
    user_id: str,
    membership: MembershipFields,
    overrides: Iterable[OverrideFields],
    *,
    catalog: CompiledCatalog,
) -> Member:
    """Build one member from the fields of the membership and of the account's overrides.

    Overrides of other users, or of another membership of this user, do not count (`Ci9`). A role
    that the catalog does not have grants nothing; decisions still name it.

    Raises:
        ValueError: the status is not a value that the decision core knows, or a time has no zone.
    """
    return Member(
        user_id=user_id,
        membership_id=membership.membership_id,
        role=catalog.matrix(membership.role) or _nothing(f"role:{membership.role}"),
        status=MembershipStatus(membership.status),
        expires_at=_optional_milliseconds(membership.expires_at),
        overrides={
            override.project_id: Override(
                matrix=_override_matrix(override, catalog),
                expires_at=_optional_milliseconds(override.expires_at),
            )
            for override in overrides
            if (override.user_id, override.membership_id) == (user_id, membership.membership_id)
        },
        attributes=membership.attributes or NO_PROPERTIES,
    )


def milliseconds(moment: datetime) -> int:
    """The decision core's time: whole milliseconds since 1970-01-01 UTC.

    The rest is cut off, from the clock and from every expiry. An expiry is therefore never later
    than its row says.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"The time {moment.isoformat()} has no zone. Give it one, such as UTC.")
    return (moment - _EPOCH) // _MILLISECOND


def _optional_milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


def _override_matrix(override: OverrideFields, catalog: CompiledCatalog) -> Matrix:
    """The override's grants.

    Grants that the catalog cannot read are none at all. They still replace the role's: the member
    loses the project until the override is repaired or removed.
    """
    try:
        grants = catalog.catalog.parse_grants(override.grants, within_project=True)
    except CatalogError:
        return _nothing(f"override:{override.project_id}")
    return catalog.override_matrix(override.project_id, grants)


def _nothing(source: str) -> Matrix:
    return Matrix(source=source, all_mask=0, self_mask=0)
