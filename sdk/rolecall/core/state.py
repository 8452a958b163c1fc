"""What must be known about an account, a subject and a resource to decide?"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from rolecall.core.matrix import CompiledCatalog, Matrix


class AccountKind(StrEnum):
    """One person's account, or one that several share."""

    PERSONAL = "personal"
    TEAM = "team"


class AccountStatus(StrEnum):
    """Only an active account answers checks with anything but a denial."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MembershipStatus(StrEnum):
    """Only an active membership carries grants."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Override:
    """One member's grants inside one project; `expires_at` in epoch milliseconds."""

    matrix: Matrix
    expires_at: int | None = None

    def active(self, *, now: int) -> bool:
        """Whether it still holds at `now`, in epoch milliseconds."""
        return self.expires_at is None or now < self.expires_at


_NO_OVERRIDES: Mapping[str, Override] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Member:
    """A membership: the role's matrix, and overrides by project id.

    `expires_at` is in epoch milliseconds; from that instant on the membership is over (`B4`).
    """

    user_id: str
    membership_id: str
    role: Matrix
    status: MembershipStatus = MembershipStatus.ACTIVE
    expires_at: int | None = None
    overrides: Mapping[str, Override] = field(default_factory=lambda: _NO_OVERRIDES)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose permission is asked: a user, and what is known of their sign-in."""

    user_id: str
    user_disabled: bool = False
    session_ended: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """What would be acted on, as far as it is known.

    Its type is the part of the permission before the colon. `owner_id` is a user id;
    `project_id` a project of the account.
    """

    id: str | None = None
    owner_id: str | None = None
    project_id: str | None = None


_NO_RESOURCES: Mapping[tuple[str, str], Resource] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account as of one revision; replaced whole, never changed.

    `members` is keyed by user id, `projects` holds project ids, `resources` has the registered
    ones by (type, id): what they say wins over the request.
    """

    id: str
    kind: AccountKind
    status: AccountStatus
    owner_user_id: str
    catalog: CompiledCatalog
    members: Mapping[str, Member]
    projects: Collection[str] = frozenset()
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=lambda: _NO_RESOURCES)
