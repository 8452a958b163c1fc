"""A member, or an invitation, as the answers of several routes show it."""

from datetime import datetime

from services.team.domain.catalog_texts import Translations
from services.team.domain.member_list import MemberListRow, MemberListStatus
from services.team.domain.members import Attribute
from services.team.routes.invitation_states import (
    LockedView,
    NotMailedView,
    locked_view,
    not_mailed_view,
)
from services.team.routes.passed_invitations import PassedInvitationView, passed_views
from services.team.use_cases.members import ChangedMember
from shared.http.entity_tags import TaggedAnswer
from shared.ids import InvitationId, MembershipId, UserId


class MemberView(TaggedAnswer):
    """A member, or an invitation: then `user_id` and `membership_id` are null.

    `since` is when the member joined or the invitation was made. `expires_at` is the end of the
    membership or of the invitation, if it has one. `last_active_at` is the member's last request or
    the last decision about them, to within some minutes; the entity tag leaves it out. Of an
    invitation, `membership_expires_at` is the end of the membership that it gives; `not_mailed`,
    `locked` and `resend_offered` are as in the list of invitations. `translations` has the title of
    the role in other languages, as the catalog has them.
    """

    beside_the_state = frozenset({"last_active_at"})

    status: MemberListStatus
    user_id: UserId | None
    membership_id: MembershipId | None
    invitation_id: InvitationId | None
    email: str
    name: str | None
    role: str
    role_title: str
    translations: Translations
    owner: bool
    since: datetime
    expires_at: datetime | None
    attributes: dict[str, Attribute] | None = None
    last_active_at: datetime | None = None
    membership_expires_at: datetime | None = None
    not_mailed: NotMailedView | None = None
    locked: LockedView | None = None
    resend_offered: bool = False


class ChangedMemberView(MemberView):
    """The member after the change, and the invitations that passed to another inviter."""

    beside_the_state = MemberView.beside_the_state | {"passed_invitations"}

    passed_invitations: list[PassedInvitationView]


def member_view(row: MemberListRow) -> MemberView:
    """A row of the list as its JSON object."""
    invitation = row.invitation
    return MemberView(
        status=row.status,
        user_id=row.user_id,
        membership_id=row.membership_id,
        invitation_id=row.invitation_id,
        email=row.email,
        name=row.name,
        role=row.role,
        role_title=row.role_title,
        translations=row.translations,
        owner=row.owner,
        since=row.since,
        expires_at=row.expires_at,
        attributes=None if row.attributes is None else dict(row.attributes),
        last_active_at=row.last_active_at,
        membership_expires_at=row.membership_expires_at,
        not_mailed=invitation and not_mailed_view(invitation, resend=row.resend_offered),
        locked=invitation and locked_view(invitation, resend=row.resend_offered),
        resend_offered=row.resend_offered,
    )


def changed_view(changed: ChangedMember) -> ChangedMemberView:
    """A member after a change as its JSON object."""
    return ChangedMemberView(
        **dict(member_view(changed.row)), passed_invitations=passed_views(changed.passed)
    )
