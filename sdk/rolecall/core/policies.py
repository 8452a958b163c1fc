"""The policies of a catalog: how a provider differs besides its permission table."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass

from rolecall.core.table import Flag, Name

_CLOSED = ConfigDict(extra="forbid")

NATIVE_SUBJECT_TYPES = frozenset({"user", "api_token", "service"})
"""The types of subjects that have a meaning of their own."""


def _not_native(name: str) -> str:
    if name in NATIVE_SUBJECT_TYPES:
        raise ValueError(f"The type {name!r} has a meaning of its own. Remove it.")
    return name


SubjectType = Annotated[Name, AfterValidator(_not_native)]


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
    (`Rp5`).
    """

    lifetime_seconds: Annotated[
        Annotated[int, Strict(), Field(gt=0)] | None,
        Field(description="Seconds until an invitation expires; null: it never does"),
    ]
    after_expiry: Annotated[
        AfterExpiry | None,
        Field(
            description="What inviting an address again requires once its invitation has expired:"
            " delete it first, or simply replace it; null exactly when `lifetime_seconds` is null"
        ),
    ]
    resend: Annotated[Flag, Field(description="Whether an open invitation can be sent again")]
    deliveries: Annotated[
        tuple[Delivery, ...],
        Field(min_length=1, description="What an inviter can choose; the first is the default"),
    ]
    email_lock: Annotated[Flag, Field(description="Only the invited address can accept")] = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Features:
    """The parts of Rolecall that a provider offers; the routes of the others answer 404."""

    custom_roles: Annotated[Flag, Field(description="Roles that an account defines itself")] = True
    overrides: Annotated[Flag, Field(description="Other grants of a member inside a project")] = (
        True
    )
    api_tokens: Annotated[Flag, Field(description="API tokens of members")] = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Words:
    """The words that this provider uses for a project; refusals and mails use them."""

    project: Annotated[
        str, Field(min_length=1, description="What this provider calls a project")
    ] = "project"
    projects: Annotated[str, Field(min_length=1, description="The same for several")] = "projects"


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Policies:
    """The rules of a provider for its accounts."""

    conversion: Annotated[
        Conversion,
        Field(
            description="Whether a personal account can be converted to a team, and back; `none`:"
            " the first invitation turns it into a team"
        ),
    ]
    invitations: InvitationPolicy
    member_limit: Annotated[
        int,
        Strict(),
        Field(gt=0, description="Members besides the owner, plus pending invitations, at most"),
    ]
    role_change_ends_sessions: Annotated[
        bool, Field(description="A member whose role changes must sign in again")
    ] = False
    features: Features = Features()
    words: Words = Words()
    subject_types: Annotated[
        tuple[SubjectType, ...],
        Field(
            description="Further types by which checks name members, besides `user`",
            exclude_if=lambda types: not types,  # a catalog without any keeps its version
        ),
    ] = ()
