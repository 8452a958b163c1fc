"""Which facts does team tell?

A fact that a person is told of carries what the message needs (names, address, words), because
notification asks nobody but for links.
"""

from datetime import datetime
from typing import ClassVar, Literal

from shared.contracts.facts import Payload


class CatalogPublished(Payload):
    """A permission model is available to accounts; its content travels as a thing."""

    type: ClassVar[str] = "team.catalog.published.v1"
    name: str
    digest: str


class _Account(Payload):
    account_name: str


class AccountCreated(_Account):
    """A personal account exists, with its user as owner."""

    type: ClassVar[str] = "team.account.created.v1"
    kind: Literal["personal", "team"]
    owner_user_id: str
    catalog: str


class AccountRenamed(_Account):
    """The account's name changed."""

    type: ClassVar[str] = "team.account.renamed.v1"


class AccountConverted(_Account):
    """A personal account became a team (or took its name and catalog, where there is no step)."""

    type: ClassVar[str] = "team.account.converted.v1"
    kind: Literal["personal", "team"]
    catalog: str


class _Member(Payload):
    account_name: str
    user_id: str
    email: str
    name: str
    role: str


class MemberJoined(_Member):
    """A user became a member by an invitation."""

    type: ClassVar[str] = "team.member.joined.v1"
    invitation_id: str


class MemberRoleChanged(_Member):
    """A member has another role."""

    type: ClassVar[str] = "team.member.role_changed.v1"
    previous_role: str
    role_title: str
    ends_sessions: bool
    """The catalog asks that the member signs in again (Nv16)."""


class MemberRemoved(_Member):
    """A member was removed by somebody."""

    type: ClassVar[str] = "team.member.removed.v1"


class MemberLeft(_Member):
    """A member left."""

    type: ClassVar[str] = "team.member.left.v1"


class _Invitation(Payload):
    account_name: str
    invitation_id: str
    email: str
    role: str


class _OpenInvitation(_Invitation):
    role_title: str
    inviter_name: str
    delivery: Literal["email", "link"]
    generation: int
    expires_at: datetime | None


class InvitationCreated(_OpenInvitation):
    """Somebody was invited."""

    type: ClassVar[str] = "team.invitation.created.v1"


class InvitationResent(_OpenInvitation):
    """A new link was made; earlier ones died (Ci4)."""

    type: ClassVar[str] = "team.invitation.resent.v1"


class InvitationRevoked(_Invitation):
    """The link died at once (Ro18)."""

    type: ClassVar[str] = "team.invitation.revoked.v1"


class InvitationAccepted(_Invitation):
    """The invited user joined."""

    type: ClassVar[str] = "team.invitation.accepted.v1"
    role_title: str = ""
    user_id: str
    name: str
    inviter_user_id: str
    inviter_email: str


class InvitationDeclined(_Invitation):
    """The invited user said no."""

    type: ClassVar[str] = "team.invitation.declined.v1"
    inviter_user_id: str
    inviter_email: str


class InvitationPassed(_Invitation):
    """The inviter may no longer give the role; somebody else answers for the invitation now."""

    type: ClassVar[str] = "team.invitation.passed.v1"
    from_user_id: str
    to_user_id: str


class _Project(Payload):
    project_id: str
    name: str


class ProjectCreated(_Project):
    """A project exists."""

    type: ClassVar[str] = "team.project.created.v1"


class ProjectRenamed(_Project):
    """A project has another name."""

    type: ClassVar[str] = "team.project.renamed.v1"


class ProjectDeleted(_Project):
    """A project is gone, its overrides with it."""

    type: ClassVar[str] = "team.project.deleted.v1"


class _Override(Payload):
    account_name: str
    project_id: str
    project_name: str
    user_id: str
    email: str


class OverrideSet(_Override):
    """One member's grants inside one project replace the role's there (Ci9)."""

    type: ClassVar[str] = "team.override.set.v1"
    expires_at: datetime | None


class OverrideRemoved(_Override):
    """The role's grants count again in the project."""

    type: ClassVar[str] = "team.override.removed.v1"


class RequestRefused(Payload):
    """Somebody tried what they may not do; the row is the audit record of it."""

    type: ClassVar[str] = "team.request.refused.v1"
    operation: str
    permission: str
    """Empty where the route asks for none: accepting an invitation."""
    code: str


FACTS: tuple[type[Payload], ...] = (
    CatalogPublished,
    AccountCreated,
    AccountRenamed,
    AccountConverted,
    MemberJoined,
    MemberRoleChanged,
    MemberRemoved,
    MemberLeft,
    InvitationCreated,
    InvitationResent,
    InvitationRevoked,
    InvitationAccepted,
    InvitationDeclined,
    InvitationPassed,
    ProjectCreated,
    ProjectRenamed,
    ProjectDeleted,
    OverrideSet,
    OverrideRemoved,
    RequestRefused,
)
