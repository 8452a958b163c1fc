"""Routes of single members."""

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.member_rules import End, MemberChange, NotYourself
from services.team.domain.members import OwnerCannotLeave, OwnerProtected
from services.team.domain.resource_rules import TooManyToReassign
from services.team.domain.resources import NewOwnerNotMember
from services.team.domain.roles import RoleUnknown
from services.team.routes.member_views import (
    ChangedMemberView,
    MemberView,
    changed_view,
    member_view,
)
from services.team.routes.removals import RemovalQuery, RemovedMemberView, removed_view
from services.team.use_cases import members
from services.team.use_cases.context import AccountRequest, Ctx
from shared.http.access import Permission
from shared.http.moments import StoredMoment
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import UserId

VIEW = Permission("member:view")
UPDATE = Permission("member:update")


class ChangeMember(Body):
    """What changes of the member; what is left out stays.

    `expires_at` is the end of the membership; null takes the end away. `attributes` replaces all
    attributes. If a condition of the account's roles, or of an override of the member or of the
    caller, tests an attribute that changes, the caller must hold what is granted under it.
    """

    role: str | None = Field(default=None, min_length=1, max_length=64)
    expires_at: StoredMoment | None = None
    attributes: dict[str, StrictStr | StrictBool | StrictInt | StrictFloat] | None = None

    @property
    def change(self) -> MemberChange:
        """The parts that the body names."""
        named = "expires_at" in self.model_fields_set
        return MemberChange(
            role=self.role,
            end=End(at=self.expires_at) if named else None,
            attributes=self.attributes,
        )


async def get(ctx: Ctx, call: Call[None, None], access: AccountAccess) -> MemberView:
    """Return one member."""
    return member_view(await members.get(ctx, access, UserId(call.path["user_id"])))


async def change(ctx: Ctx, call: Call[ChangeMember, None], request: AccountRequest) -> Reply:
    """Give a member another role, another end or other attributes."""
    user_id = UserId(call.path["user_id"])
    written = await members.change(ctx, request, user_id=user_id, wanted=call.body.change)
    return Reply(body=changed_view(written.result), written=written)


async def suspend(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Suspend a member."""
    written = await members.suspend(ctx, request, user_id=UserId(call.path["user_id"]))
    return Reply(body=changed_view(written.result), written=written)


async def resume(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Resume a suspended member."""
    written = await members.resume(ctx, request, user_id=UserId(call.path["user_id"]))
    return Reply(body=member_view(written.result), written=written)


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


ROUTES = (
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
        handler=change,
        operation_id="changeMember",
        summary="Give a member another role, another end or other attributes",
        tag="members",
        access=UPDATE,
        takes=ChangeMember,
        gives=ChangedMemberView,
        refuses=(RoleUnknown, GrantsExceeded, EndExceeded, OwnerProtected),
        effective_everywhere=True,
        represent=member_view,
        has_preview=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/members/{user_id}/suspend",
        handler=suspend,
        operation_id="suspendMember",
        summary="Suspend a member; every check denies with the answer",
        tag="members",
        access=UPDATE,
        gives=ChangedMemberView,
        refuses=(OwnerProtected, NotYourself),
        effective_everywhere=True,
        on_repeat="Changes nothing more: the member is suspended.",
        has_preview=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/members/{user_id}/resume",
        handler=resume,
        operation_id="resumeMember",
        summary="Resume a suspended member with their role and overrides",
        tag="members",
        access=UPDATE,
        gives=MemberView,
        refuses=(GrantsExceeded, EndExceeded),
        effective_everywhere=True,
        on_repeat="Changes nothing more: the member is not suspended.",
        has_preview=True,
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
        has_preview=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/leave",
        handler=leave,
        operation_id="leaveAccount",
        summary="End my own membership",
        tag="members",
        access=Permission("account:view", in_session=True),
        refuses=(OwnerCannotLeave,),
        effective_everywhere=True,
        on_repeat="Ends nothing more: 404.",
        has_preview=True,
    ),
)
