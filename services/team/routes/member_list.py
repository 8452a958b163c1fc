"""The route of the list of members and invitations."""

from typing import Literal

from pydantic import Field

from services.team.domain.account_access import AccountAccess
from services.team.domain.member_list import MemberListField, MemberListStatus, NoSuchPlace
from services.team.routes.catalog_fields import RoleKey
from services.team.routes.member_views import MemberView, member_view
from services.team.use_cases import member_list
from services.team.use_cases.context import Ctx
from shared.http.access import Permission
from shared.http.paging import Page, PageQuery, not_a_cursor, read_cursor, write_cursor
from shared.http.routes import Call, Route


class MembersQuery(PageQuery):
    """`q` is searched in names and addresses; a `-` in front of `sort` reverses the order."""

    status: MemberListStatus | None = Field(
        default=None,
        description="Only members (`active`, `suspended`), only invitations (`invited`), or what"
        " is over of both (`expired`)",
    )
    q: str = Field(
        default="", max_length=200, description="A part of a name or an address, in any case"
    )
    role: RoleKey | None = Field(
        default=None, description="Only members with this role, and invitations that give it"
    )
    sort: Literal[
        "name",
        "-name",
        "email",
        "-email",
        "role",
        "-role",
        "since",
        "-since",
        "last_active",
        "-last_active",
    ] = Field(default="name", description="What the list is sorted by; `-` reverses the order")
    counts: Literal["true", "false"] = Field(
        default="false", description="Also count the members and invitations of each status"
    )


class MemberPage(Page[MemberView]):
    """A page of the list; `counts` has each status of the whole account, if they were asked for."""

    counts: dict[MemberListStatus, int] | None = None


async def list_members(
    ctx: Ctx, call: Call[None, MembersQuery], access: AccountAccess
) -> MemberPage:
    """List members and invitations in one place (`Nv15`)."""
    query = call.query
    try:
        page = await member_list.search(
            ctx,
            access,
            text=query.q,
            status=query.status,
            role=query.role,
            field=MemberListField(query.sort.removeprefix("-")),
            descending=query.sort.startswith("-"),
            after=read_cursor(call),
            limit=query.limit,
        )
    except NoSuchPlace:
        raise not_a_cursor() from None
    following = page.following
    return MemberPage(
        items=[member_view(row) for row in page.rows],
        next_cursor=None if following is None else write_cursor(call, following),
        counts=await member_list.count(ctx, access) if query.counts == "true" else None,
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/members",
        handler=list_members,
        operation_id="listMembers",
        summary="Members and invitations",
        tag="members",
        access=Permission("member:view"),
        query=MembersQuery,
        gives=MemberPage,
    ),
)
