"""Routes of overrides: one member's grants inside a project."""

from datetime import datetime

from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.override_rules import OverrideLimit
from services.team.domain.overrides import (
    OwnerNotOverridden,
    ShownOverride,
    grants_as_json,
)
from services.team.routes.grant_bodies import GivenGrants, Grants
from services.team.routes.passed_invitations import PassedInvitationView, passed_views
from services.team.use_cases import overrides
from services.team.use_cases.context import AccountRequest, Ctx
from shared.catalog_parts import NotInThisCatalog
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.moments import StoredMoment
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import MembershipId, ProjectId, UserId

SEE_MEMBERS = Permission("member:view", in_project="project:view")
CHANGE_MEMBERS = Permission("member:update", in_project="project:manage")


class PutOverride(Body):
    """Grants as in a catalog's roles. They replace the role's grants."""

    grants: GivenGrants
    expires_at: StoredMoment | None = None


class OverrideView(TaggedAnswer):
    """One member's grants inside the project; if they are `expired`, the role counts again."""

    project_id: ProjectId
    user_id: UserId
    membership_id: MembershipId
    grants: Grants
    expires_at: datetime | None
    expired: bool
    given_by: UserId
    given_at: datetime


class SetOverrideView(OverrideView):
    """The override, and the member's invitations that passed to another inviter."""

    beside_the_state = frozenset({"passed_invitations"})

    passed_invitations: list[PassedInvitationView]


def _override_view(shown: ShownOverride) -> OverrideView:
    override = shown.override
    return OverrideView(
        project_id=override.project_id,
        user_id=override.user_id,
        membership_id=override.membership_id,
        grants=grants_as_json(override.grants),
        expires_at=override.expires_at,
        expired=shown.expired,
        given_by=override.given_by,
        given_at=override.given_at,
    )


async def list_overrides(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[OverrideView]:
    """List the overrides in a project."""
    found = await overrides.list_all(ctx, access)
    page, following = paged(found, call, key=lambda shown: (shown.override.user_id, ""))
    return Page[OverrideView](
        items=[_override_view(shown) for shown in page], next_cursor=following
    )


async def get_override(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> OverrideView:
    """Return one member's override in the project."""
    return _override_view(await overrides.get(ctx, access, UserId(call.path["user_id"])))


async def put_override(ctx: Ctx, call: Call[PutOverride, None], request: AccountRequest) -> Reply:
    """Give a member other grants inside the project."""
    written = await overrides.put(
        ctx,
        request,
        user_id=UserId(call.path["user_id"]),
        grants=call.body.grants,
        expires_at=call.body.expires_at,
    )
    done = written.result
    view = SetOverrideView(
        **dict(_override_view(done.override)),
        passed_invitations=passed_views(done.passed),
    )
    return Reply(body=view, written=written)


async def remove_override(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Remove a member's override in the project."""
    written = await overrides.remove(ctx, request, user_id=UserId(call.path["user_id"]))
    return Reply(written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides",
        handler=list_overrides,
        operation_id="listOverrides",
        summary="The members with other grants in this project",
        tag="projects",
        access=SEE_MEMBERS,
        query=PageQuery,
        gives=Page[OverrideView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides/{user_id}",
        handler=get_override,
        operation_id="getOverride",
        summary="One member's grants inside this project",
        tag="projects",
        access=SEE_MEMBERS,
        gives=OverrideView,
        refuses=(NotInThisCatalog,),
        represent=_override_view,
    ),
    Route(
        method="PUT",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides/{user_id}",
        handler=put_override,
        operation_id="setOverride",
        summary="Replace a member's grants inside a project",
        tag="projects",
        access=CHANGE_MEMBERS,
        takes=PutOverride,
        gives=SetOverrideView,
        refuses=(
            NotInThisCatalog,
            OwnerNotOverridden,
            GrantsExceeded,
            EndExceeded,
            OverrideLimit,
        ),
        effective_everywhere=True,
        represent=_override_view,
        has_preview=True,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/projects/{project_id}/overrides/{user_id}",
        handler=remove_override,
        operation_id="removeOverride",
        summary="Remove a member's override in the project",
        tag="projects",
        access=CHANGE_MEMBERS,
        refuses=(NotInThisCatalog, GrantsExceeded, EndExceeded),
        effective_everywhere=True,
        represent=_override_view,
        has_preview=True,
    ),
)
