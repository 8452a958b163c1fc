"""Routes of members."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import GrantsExceeded
from services.team.domain.member_list import MemberListField, MemberListRow, MemberListStatus
from services.team.domain.members import OwnerCannotLeave, OwnerProtected
from services.team.domain.overrides import ProjectOverride
from services.team.domain.resource_rules import TooManyToReassign
from services.team.domain.resources import NewOwnerNotMember
from services.team.domain.roles import RoleUnknown
from services.team.routes.invitation_states import (
    LockedView,
    NotMailedView,
    locked_view,
    not_mailed_view,
)
from services.team.routes.passed_invitations import PassedInvitationView, passed_views
from services.team.routes.removals import RemovalQuery, RemovedMemberView, removed_view
from services.team.use_cases import members
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.paging import Order, Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import InvitationId, MembershipId, ProjectId, UserId

VIEW = Permission("member:view")


class MembersQuery(PageQuery):
    """`q` is searched in names and addresses; a `-` in front of `sort` reverses the order."""

    status: MemberListStatus | None = Field(
        default=None, description="Only members (`active`) or only invitations of this status"
    )
    q: str = Field(
        default="", max_length=200, description="A part of a name or an address, in any case"
    )
    sort: Literal["name", "-name", "email", "-email", "role", "-role", "since", "-since"] = Field(
        default="name", description="What the list is sorted by; `-` reverses the order"
    )


class ChangeRole(Body):
    """The role that the member gets."""

    role: str = Field(min_length=1, max_length=64)


class MemberView(TaggedAnswer):
    """A member, or an invitation: then `user_id` and `membership_id` are null.

    `since` is when the member joined or the invitation was made. `expires_at` is the end of the
    membership or of the invitation, if it has one. `not_mailed`, `locked` and `resend_offered` are
    as in the list of invitations.
    """

    status: MemberListStatus
    user_id: UserId | None
    membership_id: MembershipId | None
    invitation_id: InvitationId | None
    email: str
    name: str | None
    role: str
    role_title: str
    owner: bool
    since: datetime
    expires_at: datetime | None
    not_mailed: NotMailedView | None = None
    locked: LockedView | None = None
    resend_offered: bool = False


class ChangedMemberView(MemberView):
    """The member with the new role, and the invitations that passed to another inviter."""

    beside_the_state = frozenset({"passed_invitations"})

    passed_invitations: list[PassedInvitationView]


class PermissionsQuery(Body):
    """The project; without one, the answer is about account-wide permissions."""

    project: str | None = Field(
        default=None, pattern=r"^prj_[0-9a-f]{32}$", description="Answer for this project"
    )


class OwnOverrideView(Answer):
    """The caller's override in the project; if it is `expired`, the role counts again."""

    expires_at: datetime | None
    expired: bool


class PermissionsView(Answer):
    """What the caller may do: every cell of the table, and every permission held.

    `override` is the caller's override in the project, if there is one.
    """

    account_id: str
    user_id: UserId
    role: str
    project_id: str | None
    override: OwnOverrideView | None = None
    table: dict[str, dict[str, str | None]]
    permissions: dict[str, str]


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
        owner=row.owner,
        since=row.since,
        expires_at=row.expires_at,
        not_mailed=invitation and not_mailed_view(invitation, resend=row.resend_offered),
        locked=invitation and locked_view(invitation, resend=row.resend_offered),
        resend_offered=row.resend_offered,
    )


async def list_members(
    ctx: Ctx, call: Call[None, MembersQuery], access: AccountAccess
) -> Page[MemberView]:
    """List members and invitations in one place (`Nv15`)."""
    query = call.query
    found = await members.search(ctx, access, text=query.q, status=query.status)
    field = MemberListField(query.sort.removeprefix("-"))
    page, following = paged(
        found,
        call,
        key=lambda row: row.sort_key(field),
        order=Order.DESCENDING if query.sort.startswith("-") else Order.ASCENDING,
    )
    return Page[MemberView](items=[member_view(row) for row in page], next_cursor=following)


async def get(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> MemberView:
    """Return one member."""
    return member_view(await members.get(ctx, access, UserId(call.path["user_id"])))


async def change_role(ctx: Ctx, call: Call[ChangeRole, None], request: AccountRequest) -> Reply:
    """Give a member another role."""
    written = await members.change_role(
        ctx, request, user_id=UserId(call.path["user_id"]), role_id=call.body.role
    )
    changed = written.result
    view = ChangedMemberView(
        **dict(member_view(changed.row)),
        passed_invitations=passed_views(changed.passed),
    )
    return Reply(body=view, written=written)


async def remove(ctx: Ctx, call: Call[None, RemovalQuery], request: AccountRequest) -> Reply:
    """Remove a member."""
    reassign_to = call.query.reassign_to
    written = await members.remove(
        ctx,
        request,
        user_id=UserId(call.path["user_id"]),
        reassign_to=None if reassign_to is None else UserId(reassign_to),
    )
    return Reply(body=removed_view(written.result), written=written)


async def leave(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """End the caller's own membership."""
    return Reply(written=await members.leave(ctx, request))


async def own_permissions(
    ctx: Ctx, call: Call[None, PermissionsQuery], access: AccountAccess
) -> PermissionsView:
    """Return what the caller may do."""
    project_id = None if call.query.project is None else ProjectId(call.query.project)
    own = await members.own_permissions(ctx, access, project_id)
    return PermissionsView(
        account_id=access.account.account_id,
        user_id=access.membership.user_id,
        role=access.membership.role,
        project_id=project_id,
        override=_own_override(own.override, now=access.now),
        table=own.table,
        permissions=own.permissions,
    )


def _own_override(override: ProjectOverride | None, *, now: datetime) -> OwnOverrideView | None:
    if override is None:
        return None
    return OwnOverrideView(expires_at=override.expires_at, expired=override.expired(now))


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/members",
        handler=list_members,
        operation_id="listMembers",
        summary="Members and invitations",
        tag="members",
        access=VIEW,
        query=MembersQuery,
        gives=Page[MemberView],
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/members/{user_id}",
        handler=get,
        operation_id="getMember",
        summary="One member",
        tag="members",
        access=VIEW,
        gives=MemberView,
        represent=member_view,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}/members/{user_id}",
        handler=change_role,
        operation_id="changeMemberRole",
        summary="Give a member another role",
        tag="members",
        access=Permission("member:update"),
        takes=ChangeRole,
        gives=ChangedMemberView,
        refuses=(RoleUnknown, GrantsExceeded, OwnerProtected),
        effective_everywhere=True,
        represent=member_view,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/members/{user_id}",
        handler=remove,
        operation_id="removeMember",
        summary="Remove a member; access ends with the answer",
        tag="members",
        access=Permission("member:remove"),
        query=RemovalQuery,
        gives=RemovedMemberView,
        may_have_no_body=True,
        refuses=(OwnerProtected, TooManyToReassign, NewOwnerNotMember, GrantsExceeded),
        effective_everywhere=True,
        represent=member_view,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/leave",
        handler=leave,
        operation_id="leaveAccount",
        summary="End my own membership",
        tag="members",
        access=Permission("account:view"),
        refuses=(OwnerCannotLeave,),
        effective_everywhere=True,
        on_repeat="Ends nothing more: 404.",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/me/permissions",
        handler=own_permissions,
        operation_id="getMyPermissions",
        summary="What I may do in this account",
        tag="members",
        access=Permission("account:view"),
        query=PermissionsQuery,
        gives=PermissionsView,
    ),
)
