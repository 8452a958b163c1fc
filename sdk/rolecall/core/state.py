"""What `decide` takes: the state of an account, the subject and the resource."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from rolecall.core.condition_facts import NO_PROPERTIES, Properties
from rolecall.core.masks import Matrix
from rolecall.core.matrix import CompiledCatalog


class AccountKind(StrEnum):
    """An account of one person, or of a team."""

    PERSONAL = "personal"
    TEAM = "team"


class AccountStatus(StrEnum):
    """Every check in an account that is not active is denied."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """By the platform, until it resumes the account."""
    DELETING = "deleting"
    """Its owner has deleted it, and may still restore it."""


class MembershipStatus(StrEnum):
    """A membership that is not active grants nothing."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Override:
    """One member's grants inside one project; `expires_at` in epoch milliseconds."""

    matrix: Matrix
    expires_at: int | None = None

    def active(self, *, now: int) -> bool:
        """Return whether the override applies at `now`, in epoch milliseconds."""
        return self.expires_at is None or now < self.expires_at


NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""The empty mapping that all states share."""


def _nothing() -> Mapping[Any, Any]:
    return NOTHING


@dataclass(frozen=True, slots=True)
class MembershipTerms:
    """What a membership has besides its role: status, end, overrides by project id, attributes.

    `expires_at` is in epoch milliseconds. From that instant on the membership is over (`B4`).
    """

    status: MembershipStatus = MembershipStatus.ACTIVE
    expires_at: int | None = None
    overrides: Mapping[str, Override] = field(default_factory=_nothing)
    attributes: Properties = field(default_factory=lambda: NO_PROPERTIES)


ORDINARY = MembershipTerms()
"""The terms that most members share: active, without an end, overrides and attributes."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """What an API token is limited to; `None` limits nothing.

    With `projects` it reaches project-scoped entries inside these projects. `levels` are pairs of
    an entry and a level. With `read_only` only levels that read are left.
    """

    projects: frozenset[str] | None = None
    levels: frozenset[tuple[str, str]] | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class TokenSubject:
    """The API token by which a user acts: the membership that it is bound to, and its limits."""

    membership_id: str
    restriction: Restriction | None = None


@dataclass(slots=True, unsafe_hash=True)
class Member:
    """A membership: the role's matrix, and its terms.

    No one changes it; a frozen class takes four times as long to make, and there may be a million.
    """

    user_id: str
    role: Matrix
    terms: MembershipTerms = ORDINARY

    @property
    def status(self) -> MembershipStatus:
        """Whether it grants anything."""
        return self.terms.status

    @property
    def expires_at(self) -> int | None:
        """Its end in epoch milliseconds; `None`: it does not end by itself."""
        return self.terms.expires_at

    @property
    def overrides(self) -> Mapping[str, Override]:
        """Its overrides by project id."""
        return self.terms.overrides

    @property
    def attributes(self) -> Properties:
        """What conditions test."""
        return self.terms.attributes

    @property
    def membership_id(self) -> str:
        """The id of the membership, new at each join; empty where no API token is checked."""
        return ""


@dataclass(slots=True, unsafe_hash=True)
class Subject:
    """The user whose permission is checked, the state of their sign-in, and their API token.

    No one changes it; a frozen class takes four times as long to make.
    """

    user_id: str
    user_disabled: bool = False
    session_ended: bool = False
    token: TokenSubject | None = None
    second_factor: bool = False
    """Only an account that demands one looks at it."""


@dataclass(slots=True, unsafe_hash=True)
class Resource:
    """The resource of a check, as far as it is known. No one changes it, as a `Subject`.

    Its type is the part of the permission before the colon. `owner_id` is a user id,
    `project_id` a project of the account. `properties` are those of a registered resource; what a
    request says is in `Given`. No one changes it; a frozen class takes four times as long to make.
    """

    id: str | None = None
    owner_id: str | None = None
    project_id: str | None = None
    properties: Properties = field(default_factory=lambda: NO_PROPERTIES, hash=False)


class AnyResource(Protocol):
    """What a decision reads of a resource: a `Resource`, or another class like it."""

    @property
    def id(self) -> str | None:
        """Its id."""

    @property
    def owner_id(self) -> str | None:
        """The user who owns it."""

    @property
    def project_id(self) -> str | None:
        """The project that it is in."""

    @property
    def properties(self) -> Properties:
        """Those that are registered."""


NO_RESOURCE_ID = "-"
"""AuthZEN requires an id; this one stands for a resource that does not exist yet."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account as of one revision; replaced whole, never changed.

    `members` is keyed by user id. `projects` holds project ids. `resources` has the registered
    resources by (type, id); their owner, project and properties take precedence over the
    request's. With `require_second_factor` members without one are denied everything.
    """

    id: str
    kind: AccountKind
    status: AccountStatus
    owner_user_id: str
    catalog: CompiledCatalog
    members: Mapping[str, Member]
    projects: Collection[str] = frozenset()
    resources: Mapping[tuple[str, str], Resource] = field(default_factory=_nothing)
    require_second_factor: bool = False
