"""The one builder of policy state: what `decide` takes, made of stored rows or journal objects.

A service's database rows and the policy objects of its journal have the same fields. Both satisfy
the protocols below, so that both lead to the same `AccountState`. Where a field cannot be
understood, the answer is the one that can only deny.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from rolecall.core.condition_facts import NO_PROPERTIES, Properties
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledCatalog
from rolecall.core.problems import CatalogError
from rolecall.core.state import (
    NOTHING,
    ORDINARY,
    AccountKind,
    AccountState,
    AccountStatus,
    Member,
    MembershipStatus,
    MembershipTerms,
    Override,
    Resource,
)

_ACTIVE = MembershipStatus.ACTIVE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


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
    resources: Mapping[tuple[str, str], Resource] = NOTHING,
) -> AccountState:
    """Build the state of one account from its fields and from members that are built.

    The state demands no second factor. Set that in it where members are asked about whose sign-in
    is known.

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

    See `role_matrix` and `build_overrides` for what is unknown or does not count.

    Raises:
        ValueError: the status is not a value that the decision core knows, or a time has no zone.
    """
    own = build_overrides(user_id, membership.membership_id, overrides, catalog=catalog)
    return Member(user_id, role_matrix(membership.role, catalog), build_terms(membership, own))


def build_terms(membership: MembershipFields, overrides: Mapping[str, Override]) -> MembershipTerms:
    """Build the terms of a membership with these overrides; most members share `ORDINARY`.

    Raises:
        ValueError: the status is not a value that the decision core knows, or a time has no zone.
    """
    status, end, attributes = membership.status, membership.expires_at, membership.attributes
    if status == _ACTIVE and end is None and not overrides and not attributes:
        return ORDINARY
    return MembershipTerms(
        MembershipStatus(status), optional_milliseconds(end), overrides, attributes or NO_PROPERTIES
    )


def role_matrix(role_id: str, catalog: CompiledCatalog | None) -> Matrix:
    """The grants of a role.

    A role that the catalog does not have grants nothing, and so does every role while there is no
    catalog; decisions still name it.
    """
    found = None if catalog is None else catalog.matrix(role_id)
    return found or _nothing(f"role:{role_id}")


def build_overrides(
    user_id: str,
    membership_id: str,
    overrides: Iterable[OverrideFields],
    *,
    catalog: CompiledCatalog,
) -> Mapping[str, Override]:
    """Build the overrides of one membership, by project id.

    Overrides of other users, or of another membership of this user, do not count (`Ci9`).

    Raises:
        ValueError: a time has no zone.
    """
    return {
        override.project_id: Override(
            matrix=_override_matrix(override, catalog),
            expires_at=optional_milliseconds(override.expires_at),
        )
        for override in overrides
        if (override.user_id, override.membership_id) == (user_id, membership_id)
    } or NOTHING


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


def optional_milliseconds(moment: datetime | None) -> int | None:
    """The decision core's time of an end; `None`: there is none."""
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


@lru_cache
def _nothing(source: str) -> Matrix:
    return Matrix(source=source, all_mask=0, self_mask=0)
