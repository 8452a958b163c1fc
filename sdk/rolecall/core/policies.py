"""What differs between providers besides their permission table?"""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

_CLOSED = ConfigDict(extra="forbid")


class Conversion(StrEnum):
    """Whether a personal account becomes a team in a step of its own, and may come back."""

    REVERSIBLE = "reversible"
    IRREVERSIBLE = "irreversible"
    NONE = "none"


class AfterExpiry(StrEnum):
    """What inviting an address again takes once its invitation has expired."""

    DELETE_FIRST = "delete_first"
    REPLACE = "replace"


class Delivery(StrEnum):
    """How an invitation reaches the invitee."""

    EMAIL = "email"
    LINK = "link"


@dataclass(frozen=True, slots=True, config=_CLOSED)
class InvitationPolicy:
    """`lifetime_seconds` and `after_expiry` are `None` together: such a link never expires (`Rp5`).

    `deliveries` lists what an inviter may choose, the default first.
    """

    lifetime_seconds: Annotated[int, Field(gt=0)] | None
    after_expiry: AfterExpiry | None
    resend: bool
    deliveries: Annotated[tuple[Delivery, ...], Field(min_length=1)]
    email_lock: bool = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Features:
    """Which parts of Rolecall a provider offers; the routes of the others answer 404."""

    custom_roles: bool = True
    overrides: bool = True
    api_tokens: bool = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Words:
    """What this provider calls a project."""

    project: Annotated[str, Field(min_length=1)] = "project"
    projects: Annotated[str, Field(min_length=1)] = "projects"


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Policies:
    """`member_limit` counts members other than the owner plus pending invitations (`Nv12`)."""

    conversion: Conversion
    invitations: InvitationPolicy
    member_limit: Annotated[int, Field(gt=0)]
    role_change_ends_sessions: bool = False
    features: Features = Features()
    words: Words = Words()
