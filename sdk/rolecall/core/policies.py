"""The policies of a catalog: how a provider differs besides its permission table."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

_CLOSED = ConfigDict(extra="forbid")


class Conversion(StrEnum):
    """Whether a personal account can be converted to a team, and back."""

    REVERSIBLE = "reversible"
    IRREVERSIBLE = "irreversible"
    NONE = "none"


class AfterExpiry(StrEnum):
    """What inviting an address again requires once its invitation has expired."""

    DELETE_FIRST = "delete_first"
    REPLACE = "replace"


class Delivery(StrEnum):
    """How an invitation reaches the invitee."""

    EMAIL = "email"
    LINK = "link"


@dataclass(frozen=True, slots=True, config=_CLOSED)
class InvitationPolicy:
    """How long invitations live and how they are delivered.

    `lifetime_seconds` and `after_expiry` are `None` together: such an invitation never expires
    (`Rp5`). `deliveries` lists what an inviter can choose; the first is the default. `email_lock`:
    only the invited address can accept.
    """

    lifetime_seconds: Annotated[int, Field(gt=0)] | None
    after_expiry: AfterExpiry | None
    resend: bool
    deliveries: Annotated[tuple[Delivery, ...], Field(min_length=1)]
    email_lock: bool = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Features:
    """The parts of Rolecall that a provider offers; the routes of the others answer 404."""

    custom_roles: bool = True
    overrides: bool = True
    api_tokens: bool = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Words:
    """The words that this provider uses for a project."""

    project: Annotated[str, Field(min_length=1)] = "project"
    projects: Annotated[str, Field(min_length=1)] = "projects"


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Policies:
    """The rules of a provider for its accounts.

    `member_limit` counts members other than the owner, plus pending invitations (`Nv12`).
    """

    conversion: Conversion
    invitations: InvitationPolicy
    member_limit: Annotated[int, Field(gt=0)]
    role_change_ends_sessions: bool = False
    features: Features = Features()
    words: Words = Words()
