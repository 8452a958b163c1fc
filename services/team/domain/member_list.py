"""The list of members and invitations: what a row shows, how it is sorted, and what is asked for.

A page is read from two collections in one order: by a value, then by an id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from rolecall import MembershipStatus
from services.team.domain.account_access import AccountAccess
from services.team.domain.catalog_texts import Translations, author_words, own_title
from services.team.domain.invitation_resend import offered
from services.team.domain.invitations import Invitation
from services.team.domain.members import Attribute, Membership
from services.team.domain.roles import role_title
from shared.ids import InvitationId, MembershipId, UserId
from shared.names import name_key

RowT = TypeVar("RowT")


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
    LAST_ACTIVE = "last_active"


Place = tuple[str, str]
"""The value that the list is sorted by, and the id that orders equal values."""


class NoSuchPlace(Exception):  # noqa: N818 - the route answers that it is not a cursor
    """A cursor names a place that its list does not have."""


@dataclass(frozen=True, kw_only=True)
class ListPage(Generic[RowT]):
    """The rows of a page, and the place of its last row if there are more."""

    rows: list[RowT]
    following: Place | None


@dataclass(frozen=True, kw_only=True)
class MemberListQuery:
    """A page of the list: the rows after a place, in one order, that contain a text.

    `text` is compared as names are. `role_keys` has the sort value of each role of the account.
    """

    field: MemberListField
    descending: bool
    limit: int
    """The most rows; one more than a page shows tells whether another page follows."""
    role_keys: Mapping[str, str]
    text: str = ""
    status: MemberListStatus | None = None
    role: str | None = None
    after: Place | None = None


@dataclass(frozen=True, kw_only=True)
class MemberListRow:
    """A member, or an invitation: then `user_id`, `membership_id` and `name` are `None`."""

    status: MemberListStatus
    email: str
    role: str
    role_title: str
    translations: Translations
    since: datetime
    expires_at: datetime | None
    owner: bool = False
    name: str | None = None
    user_id: UserId | None = None
    membership_id: MembershipId | None = None
    invitation_id: InvitationId | None = None
    invitation: Invitation | None = None
    resend_offered: bool = False
    attributes: Mapping[str, Attribute] | None = None
    last_active_at: datetime | None = None
    membership_expires_at: datetime | None = None
    """Of an invitation: when the membership that it gives will end."""

    def place(self, query: MemberListQuery) -> Place:
        """The row's place in the order of the query, as the database has it."""
        active = self.last_active_at
        values = {
            MemberListField.NAME: name_key(self.name or self.email),
            MemberListField.EMAIL: name_key(self.email),
            MemberListField.ROLE: query.role_keys.get(self.role, UNKNOWN_ROLE),
            MemberListField.SINCE: sortable(self.since),
            MemberListField.LAST_ACTIVE: "" if active is None else sortable(active),
        }
        return values[query.field], self.user_id or self.invitation_id or ""


UNKNOWN_ROLE = "\U0010ffff"
"""The sort value of a role that the account does not have any more: after all others."""


def role_keys(access: AccountAccess) -> dict[str, str]:
    """The sort value of each role of the account: its title, as names are compared."""
    return {role.id: name_key(role.title) for role in access.catalog.all_roles()}


def sortable(moment: datetime) -> str:
    """A moment as a text in the order of time; the database has whole milliseconds."""
    return moment.isoformat(timespec="milliseconds")


LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - timedelta(milliseconds=1)
"""The database can store a millisecond more, which a page needs as a bound."""


def parse_moment(text: str) -> datetime:
    """Read what `sortable` wrote of a moment in UTC.

    Raises:
        ValueError: it is not such a text.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo != UTC or moment > LAST_MOMENT or sortable(moment) != text:
        raise ValueError("not a moment of the list")
    return moment


def check_place(query: MemberListQuery) -> None:
    """Check the place that a cursor names.

    Raises:
        NoSuchPlace: the list that the query asks for has no such place.
    """
    timed = query.field in {MemberListField.SINCE, MemberListField.LAST_ACTIVE}
    if query.after is not None and timed and query.after[0]:
        try:
            parse_moment(query.after[0])
        except ValueError as fault:
            raise NoSuchPlace from fault


def member_status(member: Membership, *, now: datetime) -> MemberListStatus:
    """The status that lists show of a member. A suspended one stays suspended past the end."""
    if member.status is MembershipStatus.SUSPENDED:
        return MemberListStatus.SUSPENDED
    return MemberListStatus.EXPIRED if member.expired(now) else MemberListStatus.ACTIVE


def member_row(access: AccountAccess, member: Membership) -> MemberListRow:
    """A member as a row of the list."""
    return MemberListRow(
        status=member_status(member, now=access.now),
        user_id=member.user_id,
        membership_id=member.membership_id,
        email=member.email,
        name=member.name,
        role=member.role,
        role_title=role_title(access.catalog, member.role),
        translations=author_words(access.catalog, own_title(access.catalog, member.role)),
        owner=access.is_owner(member),
        since=member.joined_at,
        expires_at=member.expires_at,
        attributes=member.attributes,
        last_active_at=member.last_active_at,
    )


def invitation_row(access: AccountAccess, invitation: Invitation) -> MemberListRow:
    """A pending or expired invitation as a row of the list."""
    return MemberListRow(
        status=invitation_status(invitation, now=access.now),
        invitation_id=invitation.invitation_id,
        email=invitation.email,
        role=invitation.role,
        role_title=role_title(access.catalog, invitation.role),
        translations=author_words(access.catalog, own_title(access.catalog, invitation.role)),
        since=invitation.created_at,
        expires_at=invitation.expires_at,
        invitation=invitation,
        resend_offered=offered(access.catalog, invitation, now=access.now),
        membership_expires_at=invitation.membership_expires_at,
    )


def invitation_status(invitation: Invitation, *, now: datetime) -> MemberListStatus:
    """The status that lists show of a pending invitation."""
    return MemberListStatus.EXPIRED if invitation.expired(now) else MemberListStatus.INVITED
