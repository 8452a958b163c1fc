"""The list of members and invitations: what a row shows, and how it is searched and sorted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.team.domain.account_access import AccountAccess
from services.team.domain.invitation_resend import offered
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.roles import role_title
from shared.ids import InvitationId, MembershipId, UserId
from shared.names import name_key


class MemberListStatus(StrEnum):
    """The status of a row in the list of members and invitations (`Ro13`)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    INVITED = "invited"
    EXPIRED = "expired"


class MemberListField(StrEnum):
    """What the list can be sorted by."""

    NAME = "name"
    EMAIL = "email"
    ROLE = "role"
    SINCE = "since"


@dataclass(frozen=True, kw_only=True)
class MemberListRow:
    """A member, or an invitation: then `user_id`, `membership_id` and `name` are `None`."""

    status: MemberListStatus
    email: str
    role: str
    role_title: str
    since: datetime
    expires_at: datetime | None
    owner: bool = False
    name: str | None = None
    user_id: UserId | None = None
    membership_id: MembershipId | None = None
    invitation_id: InvitationId | None = None
    invitation: Invitation | None = None
    resend_offered: bool = False

    def sort_key(self, field: MemberListField) -> tuple[str, str]:
        """The value to sort by, and an id that orders equal values."""
        values = {
            MemberListField.NAME: name_key(self.name or self.email),
            MemberListField.EMAIL: self.email.casefold(),
            MemberListField.ROLE: self.role_title.casefold(),
            MemberListField.SINCE: self.since.isoformat(timespec="milliseconds"),
        }
        return values[field], self.user_id or self.invitation_id or ""


def member_row(access: AccountAccess, member: Membership) -> MemberListRow:
    """A member as a row of the list."""
    return MemberListRow(
        status=MemberListStatus(member.status.value),
        user_id=member.user_id,
        membership_id=member.membership_id,
        email=member.email,
        name=member.name,
        role=member.role,
        role_title=role_title(access.catalog, member.role),
        owner=access.is_owner(member),
        since=member.joined_at,
        expires_at=member.expires_at,
    )


def invitation_row(access: AccountAccess, invitation: Invitation) -> MemberListRow:
    """A pending or expired invitation as a row of the list."""
    return MemberListRow(
        status=invitation_status(invitation, now=access.now),
        invitation_id=invitation.invitation_id,
        email=invitation.email,
        role=invitation.role,
        role_title=role_title(access.catalog, invitation.role),
        since=invitation.created_at,
        expires_at=invitation.expires_at,
        invitation=invitation,
        resend_offered=offered(access.catalog, invitation, now=access.now),
    )


def invitation_status(invitation: Invitation, *, now: datetime) -> MemberListStatus:
    """The status that lists show of a pending invitation."""
    return MemberListStatus.EXPIRED if invitation.expired(now) else MemberListStatus.INVITED


def search(
    rows: Iterable[MemberListRow], *, text: str, status: MemberListStatus | None
) -> list[MemberListRow]:
    """The rows with `text` in name or address, as names are compared, and with the status."""
    wanted = name_key(text.strip())
    return [
        row
        for row in rows
        if status in (None, row.status)
        and (wanted in name_key(row.email) or wanted in name_key(row.name or ""))
    ]
