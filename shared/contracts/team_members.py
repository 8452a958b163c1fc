"""The facts about a membership that goes on: its end, its attributes, and its suspension."""

from datetime import datetime
from typing import Any, ClassVar

from shared.contracts.facts import Payload


class _Membership(Payload):
    account_name: str
    user_id: str
    email: str
    name: str
    role: str


class MemberEndSet(_Membership):
    """A membership got another end, or does not end by itself any more (B4)."""

    type: ClassVar[str] = "team.member.end_set.v1"
    expires_at: datetime | None
    notify: bool = True
    """Whether a mail tells the member; provisioning tells on request only."""


class MemberAttributesSet(_Membership):
    """The attributes of a member were replaced."""

    type: ClassVar[str] = "team.member.attributes_set.v1"
    attributes: dict[str, Any]


class MemberLinked(_Membership):
    """The platform knows a member by another external id of its own."""

    type: ClassVar[str] = "team.member.linked.v1"
    external_id: str


class MemberSuspended(_Membership):
    """A membership was suspended: every check denies until it is resumed."""

    type: ClassVar[str] = "team.member.suspended.v1"


class MemberResumed(_Membership):
    """A suspended membership was resumed, with its role and overrides."""

    type: ClassVar[str] = "team.member.resumed.v1"


FACTS: tuple[type[Payload], ...] = (
    MemberEndSet,
    MemberAttributesSet,
    MemberLinked,
    MemberSuspended,
    MemberResumed,
)
