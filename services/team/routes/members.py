"""Which routes are about members?"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from rolecall import CompiledCatalog, effective_matrix
from services.team.domain.authority import GrantsExceeded, RoleUnknown, milliseconds
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership, OwnerCannotLeave, OwnerProtected
from services.team.routes.gate import act_of, gated
from services.team.use_cases import members
from services.team.use_cases.context import Ctx
from services.team.use_cases.desk import Desk
from shared.http.access import Permission
from shared.http.paging import Order, Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import InvitationId, MembershipId, ProjectId, UserId

VIEW = Permission("member:view", decided_in_use_case=True)


class Status(StrEnum):
    """How somebody stands in the list (`Ro13`)."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    INVITED = "invited"
    EXPIRED = "expired"


class MembersQuery(PageQuery):
    """`q` is looked for in names and addresses; a `-` in front of `sort` turns the order round."""

    status: Status | None = None
    q: str = Field(default="", max_length=200)
    sort: Literal["name", "-name", "email", "-email", "role", "-role", "since", "-since"] = "name"


class ChangeRole(Body):
    """The role that the member gets."""

    role: str = Field(min_length=1, max_length=64)


class MemberView(Answer):
    """A member, or somebody invited: then `user_id` and `membership_id` are null.

    `since` is when they joined, or were invited; `expires_at` is the invitation's or membership's
    end, if it has one.
    """

    status: Status
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


class PermissionsQuery(Body):
    """Inside which project; outside of any without one."""

    project: str | None = Field(default=None, pattern=r"^prj_[0-9a-f]{32}$")


class PermissionsView(Answer):
    """What the caller may do: every cell of the table, and every permission held."""

    account_id: str
    user_id: UserId
    role: str
    project_id: str | None
    table: dict[str, dict[str, str | None]]
    permissions: dict[str, str]


def _title(catalog: CompiledCatalog, role_id: str) -> str:
    role = catalog.catalog.role(role_id)
    return role_id if role is None else role.title


def member_view(desk: Desk, member: Membership) -> MemberView:
    """A member."""
    return MemberView(
        status=Status(member.status.value),
        user_id=member.user_id,
        membership_id=member.membership_id,
        invitation_id=None,
        email=member.email,
        name=member.name,
        role=member.role,
        role_title=_title(desk.catalog, member.role),
        owner=desk.is_owner(member),
        since=member.joined_at,
        expires_at=member.expires_at,
    )


def _invited_view(desk: Desk, invitation: Invitation) -> MemberView:
    return MemberView(
        status=Status.EXPIRED if invitation.expired(desk.now) else Status.INVITED,
        user_id=None,
        membership_id=None,
        invitation_id=invitation.invitation_id,
        email=invitation.email,
        name=None,
        role=invitation.role,
        role_title=_title(desk.catalog, invitation.role),
        owner=False,
        since=invitation.created_at,
        expires_at=invitation.expires_at,
    )


async def list_members(ctx: Ctx, call: Call[None, MembersQuery]) -> Page[MemberView]:
    """Members and invitations in one place (`Nv15`)."""
    desk, present, invited = await members.everyone(ctx, act_of(call))
    query = call.query
    wanted = query.q.casefold()
    rows = [
        *(member_view(desk, member) for member in present),
        *(_invited_view(desk, invitation) for invitation in invited),
    ]
    shown = [
        row
        for row in rows
        if query.status in (None, row.status)
        and (wanted in row.email.casefold() or wanted in (row.name or "").casefold())
    ]
    order = Order.DESCENDING if query.sort.startswith("-") else Order.ASCENDING
    field = query.sort.removeprefix("-")
    page, following = paged(shown, call, key=lambda row: _key(row, field), order=order)
    return Page[MemberView](items=page, next_cursor=following)


def _key(row: MemberView, field: str) -> tuple[str, str]:
    values = {
        "name": (row.name or row.email).casefold(),
        "email": row.email.casefold(),
        "role": row.role_title.casefold(),
        "since": row.since.isoformat(timespec="milliseconds"),
    }
    return values[field], row.user_id or row.invitation_id or ""


async def get(ctx: Ctx, call: Call[None, None]) -> MemberView:
    """One member."""
    desk, member = await members.one(ctx, act_of(call), UserId(call.path["user_id"]))
    return member_view(desk, member)


async def change_role(ctx: Ctx, call: Call[ChangeRole, None]) -> Reply:
    """Another role for a member."""
    written = await members.change_role(
        ctx, act_of(call), user_id=UserId(call.path["user_id"]), role_id=call.body.role
    )
    return Reply(body=member_view(*written.result), written=written)


async def remove(ctx: Ctx, call: Call[None, None]) -> Reply:
    """The membership ends."""
    written = await members.remove(ctx, act_of(call), user_id=UserId(call.path["user_id"]))
    return Reply(written=written)


async def leave(ctx: Ctx, call: Call[None, None]) -> Reply:
    """The caller's own membership ends."""
    return Reply(written=await members.leave(ctx, act_of(call)))


async def own_permissions(ctx: Ctx, call: Call[None, PermissionsQuery]) -> PermissionsView:
    """What the caller may do."""
    project_id = None if call.query.project is None else ProjectId(call.query.project)
    desk, table = await members.own_permissions(ctx, act_of(call), project_id)
    held = effective_matrix(desk.state, desk.member, project_id, now=milliseconds(desk.now))
    return PermissionsView(
        account_id=desk.account.account_id,
        user_id=desk.membership.user_id,
        role=desk.membership.role,
        project_id=project_id,
        table=table,
        permissions=desk.catalog.held(held),
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/members",
        handler=gated(list_members),
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
        handler=gated(get),
        operation_id="getMember",
        summary="One member",
        tag="members",
        access=VIEW,
        gives=MemberView,
    ),
    Route(
        method="PATCH",
        path="/v1/accounts/{account_id}/members/{user_id}",
        handler=gated(change_role),
        operation_id="changeMemberRole",
        summary="Give a member another role",
        tag="members",
        access=Permission("member:update", decided_in_use_case=True),
        takes=ChangeRole,
        gives=MemberView,
        refuses=(RoleUnknown, GrantsExceeded, OwnerProtected),
        effective_everywhere=True,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/members/{user_id}",
        handler=gated(remove),
        operation_id="removeMember",
        summary="Remove a member; access ends with the answer",
        tag="members",
        access=Permission("member:remove", decided_in_use_case=True),
        refuses=(OwnerProtected,),
        effective_everywhere=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/leave",
        handler=gated(leave),
        operation_id="leaveAccount",
        summary="End my own membership",
        tag="members",
        access=Permission("account:view", decided_in_use_case=True),
        refuses=(OwnerCannotLeave,),
        effective_everywhere=True,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/me/permissions",
        handler=gated(own_permissions),
        operation_id="getMyPermissions",
        summary="What I may do in this account",
        tag="members",
        access=Permission("account:view", decided_in_use_case=True),
        query=PermissionsQuery,
        gives=PermissionsView,
    ),
)
