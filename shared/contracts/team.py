"""The facts that team records.

A fact that leads to a message carries what the message needs: names, address, words.
Notification asks other services for links only.
"""

from datetime import datetime
from typing import ClassVar, Literal

from shared.contracts.facts import NO_TRANSLATIONS, Payload, Translations


class CatalogPublished(Payload):
    """A catalog was published; its content is a policy object."""

    type: ClassVar[str] = "team.catalog.published.v1"
    name: str
    digest: str


class _Account(Payload):
    account_name: str


class AccountCreated(_Account):
    """An account was created, with its user as owner."""

    type: ClassVar[str] = "team.account.created.v1"
    kind: Literal["personal", "team"]
    owner_user_id: str
    catalog: str
    number: int = 0
    """Of a personal account that replaces one of the owner's: a later one has a greater number."""


class AccountRenamed(_Account):
    """An account was renamed."""

    type: ClassVar[str] = "team.account.renamed.v1"


class AccountConverted(_Account):
    """A personal account became a team, or took a team's name and catalog."""

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
    """A user joined an account by an invitation."""

    type: ClassVar[str] = "team.member.joined.v1"
    invitation_id: str


class MemberRoleChanged(_Member):
    """The role of a member changed."""

    type: ClassVar[str] = "team.member.role_changed.v1"
    previous_role: str
    role_title: str
    ends_sessions: bool
    """The catalog requires the member to sign in again (Nv16)."""
    by_transfer: bool = False
    """The ownership moved, and the mails about that say it."""
    catalog_title: str | None = None
    """The catalog to which the account moved, if that is the reason."""
    translations: Translations = NO_TRANSLATIONS
    notify: bool = True
    """Whether a mail tells the member; provisioning tells on request only."""


class MemberRemoved(_Member):
    """A member was removed by another member, or by a service client of the platform."""

    type: ClassVar[str] = "team.member.removed.v1"
    reverted: bool = False
    """The owner has turned the team into a personal account."""


class MemberLeft(_Member):
    """A member left the account; mails tell the owner and those who may remove members."""

    type: ClassVar[str] = "team.member.left.v1"
    manager_emails: tuple[str, ...] = ()


class _Invitation(Payload):
    account_name: str
    invitation_id: str
    email: str
    role: str


class _OpenInvitation(_Invitation):
    role_title: str
    translations: Translations = NO_TRANSLATIONS
    inviter_name: str
    delivery: Literal["email", "link"]
    generation: int
    expires_at: datetime | None
    withheld: bool = False
    """The account has used up its mails: none is sent, although `delivery` is `email`."""


class InvitationCreated(_OpenInvitation):
    """An invitation was created."""

    type: ClassVar[str] = "team.invitation.created.v1"


class InvitationResent(_OpenInvitation):
    """An invitation was sent again; earlier links stop working with a new mail or link (Ci4)."""

    type: ClassVar[str] = "team.invitation.resent.v1"


class InvitationRevoked(_Invitation):
    """An invitation was revoked; its link stopped working at once (Ro18)."""

    type: ClassVar[str] = "team.invitation.revoked.v1"


class InvitationAccepted(_Invitation):
    """An invitation was accepted."""

    type: ClassVar[str] = "team.invitation.accepted.v1"
    role_title: str = ""
    translations: Translations = NO_TRANSLATIONS
    user_id: str
    name: str
    inviter_user_id: str
    inviter_email: str


class InvitationDeclined(_Invitation):
    """An invitation was declined."""

    type: ClassVar[str] = "team.invitation.declined.v1"
    inviter_user_id: str
    inviter_email: str


class InvitationPassed(_Invitation):
    """An open invitation passed to another inviter: the first may no longer assign its role."""

    type: ClassVar[str] = "team.invitation.passed.v1"
    from_user_id: str
    to_user_id: str
    role_title: str = ""
    translations: Translations = NO_TRANSLATIONS
    made_by_name: str = ""
    """Who made the newest link: not the last inviter, if it passed more than once."""
    to_email: str = ""


class InvitationBounced(_Invitation):
    """The mail of an invitation could not be delivered; a mail tells the inviter."""

    type: ClassVar[str] = "team.invitation.bounced.v1"
    inviter_user_id: str
    inviter_email: str
    resend_offered: bool
    """The catalog sends the invitation again."""
    because: str | None = None
    """A `BounceCause`, if the mail's fact has one."""


class _Project(Payload):
    project_id: str
    name: str


class ProjectCreated(_Project):
    """A project was created."""

    type: ClassVar[str] = "team.project.created.v1"


class ProjectRenamed(_Project):
    """A project was renamed."""

    type: ClassVar[str] = "team.project.renamed.v1"


class ProjectDeleted(_Project):
    """A project was deleted, with its overrides."""

    type: ClassVar[str] = "team.project.deleted.v1"


class _Override(Payload):
    account_name: str
    project_id: str
    project_name: str
    project_word: str = "project"
    """What the account's catalog calls a project."""
    translations: Translations = NO_TRANSLATIONS
    user_id: str
    email: str


class OverrideSet(_Override):
    """A member got grants in a project that replace those of the role there (Ci9)."""

    type: ClassVar[str] = "team.override.set.v1"
    expires_at: datetime | None


class OverrideRemoved(_Override):
    """An override was removed; the grants of the role apply in the project again."""

    type: ClassVar[str] = "team.override.removed.v1"
    by_transfer: bool = False
    """The member became the owner, who has no override and gets no mail about it."""


class _Role(Payload):
    role_id: str
    name: str


class RoleCreated(_Role):
    """A custom role was created (Ci8)."""

    type: ClassVar[str] = "team.role.created.v1"


class RoleChanged(_Role):
    """The name, description or grants of a custom role changed."""

    type: ClassVar[str] = "team.role.changed.v1"


class RoleDeleted(_Role):
    """A custom role was deleted; facts before this one gave its members the replacement."""

    type: ClassVar[str] = "team.role.deleted.v1"
    replacement: str | None


class RequestRefused(Payload):
    """A request was refused; the row is its audit record."""

    type: ClassVar[str] = "team.request.refused.v1"
    operation: str
    permission: str
    """Empty for a route without a permission, such as accepting an invitation."""
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
    InvitationBounced,
    ProjectCreated,
    ProjectRenamed,
    ProjectDeleted,
    OverrideSet,
    OverrideRemoved,
    RoleCreated,
    RoleChanged,
    RoleDeleted,
    RequestRefused,
)
