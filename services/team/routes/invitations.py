"""Which routes are about invitations?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rolecall import Delivery
from services.team.domain.accounts import NotATeam
from services.team.domain.allowances import InvitationRateLimited
from services.team.domain.authority import GrantsExceeded, RoleUnknown
from services.team.domain.invitations import (
    AlreadyInvited,
    AlreadyMember,
    ExpiredInvitationThere,
    Invitation,
    MemberLimit,
    ResendNotOffered,
)
from services.team.routes.gate import act_of, gated
from services.team.routes.members import Status
from services.team.use_cases import invitations
from services.team.use_cases.context import Ctx
from services.team.use_cases.desk import Desk, enter
from shared.addresses import ADDRESS_LIMIT, Address, parse_address
from shared.http.access import Permission
from shared.http.idempotency import IdempotencyKeyReused, Repeated
from shared.http.paging import Order, Page, PageQuery, paged
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import InvitationId, UserId
from shared.links import Link

VIEW = Permission("member:view", decided_in_use_case=True)
INVITE = Permission("member:invite", decided_in_use_case=True)


def _address(text: str) -> str:
    parse_address(text)
    return text


class Invite(Body):
    """Whom, with which role, and how the link gets there (default: the catalog's first way)."""

    email: Annotated[str, Field(max_length=ADDRESS_LIMIT), AfterValidator(_address)]
    role: str = Field(min_length=1, max_length=64)
    delivery: Delivery | None = None

    @property
    def address(self) -> Address:
        """The address with its comparison key."""
        return parse_address(self.email)


class InvitationView(Answer):
    """A pending invitation (`invited`), or one whose time is over (`expired`)."""

    id: InvitationId
    status: Status
    email: str
    role: str
    role_title: str
    delivery: Delivery
    invited_by: UserId
    invited_by_name: str
    created_at: datetime
    expires_at: datetime | None


class LinkView(Answer):
    """What opens the invitation; the code also stands in the URL."""

    url: str
    code: str


class Invited(Answer):
    """The invitation; under delivery `link` also the link, this one time.

    A repeated request with the same idempotency key has `link: null` and `note: "shown-once"`.
    """

    invitation: InvitationView
    link: LinkView | None
    note: Literal["shown-once"] | None = None


def invitation_view(desk: Desk, invitation: Invitation) -> InvitationView:
    """An invitation, without its link."""
    role = desk.catalog.catalog.role(invitation.role)
    return InvitationView(
        id=invitation.invitation_id,
        status=Status.EXPIRED if invitation.expired(desk.now) else Status.INVITED,
        email=invitation.email,
        role=invitation.role,
        role_title=invitation.role if role is None else role.title,
        delivery=invitation.delivery,
        invited_by=invitation.inviter_user_id,
        invited_by_name=invitation.inviter_name,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )


def link_view(ctx: Ctx, link: Link) -> LinkView:
    """The URL; token and code stand behind `#`, which no server's log ever sees."""
    token, code = ctx.links.token(link), ctx.links.code(link)
    base = ctx.settings.public_url
    return LinkView(url=f"{base}/invitations#token={token}&code={code}", code=code)


def _invited(ctx: Ctx, desk: Desk, invitation: Invitation) -> Invited:
    shown = None
    if invitation.delivery is Delivery.LINK:
        shown = link_view(ctx, Link(invitation.invitation_id, invitation.generation))
    return Invited(invitation=invitation_view(desk, invitation), link=shown)


async def list_pending(ctx: Ctx, call: Call[None, PageQuery]) -> Page[InvitationView]:
    """Pending and expired invitations, the newest first (`Rp6`)."""
    desk, pending = await invitations.pending(ctx, act_of(call))
    page, following = paged(
        pending,
        call,
        key=lambda invitation: (invitation.invitation_id, ""),
        order=Order.DESCENDING,
    )
    return Page[InvitationView](
        items=[invitation_view(desk, invitation) for invitation in page], next_cursor=following
    )


async def create(ctx: Ctx, call: Call[Invite, None]) -> Reply:
    """Somebody is invited."""
    act = act_of(call)
    once = ctx.idempotency.once(
        call.caller,
        operation=call.route.operation_id,
        key=call.idempotency_key,
        body=call.body,
        path=call.account_id,
    )
    try:
        written = await invitations.create(
            ctx,
            act,
            address=call.body.address,
            role_id=call.body.role,
            delivery=call.body.delivery,
            once=once,
            answer=lambda desk, made: invitation_view(desk, made).model_dump(mode="json"),
        )
    except Repeated:
        await enter(ctx, act)
        view = InvitationView.model_validate(await once.replay())
        note: Literal["shown-once"] | None = (
            "shown-once" if view.delivery is Delivery.LINK else None
        )
        return Reply(body=Invited(invitation=view, link=None, note=note))
    return Reply(body=_invited(ctx, *written.result), written=written)


async def resend(ctx: Ctx, call: Call[None, None]) -> Reply:
    """A new link; earlier ones are dead."""
    written = await invitations.resend(
        ctx, act_of(call), invitation_id=InvitationId(call.path["invitation_id"])
    )
    return Reply(body=_invited(ctx, *written.result), written=written)


async def revoke(ctx: Ctx, call: Call[None, None]) -> Reply:
    """The link dies."""
    written = await invitations.revoke(
        ctx, act_of(call), invitation_id=InvitationId(call.path["invitation_id"])
    )
    return Reply(written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/invitations",
        handler=gated(list_pending),
        operation_id="listInvitations",
        summary="Pending and expired invitations",
        tag="invitations",
        access=VIEW,
        query=PageQuery,
        gives=Page[InvitationView],
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/invitations",
        handler=gated(create),
        operation_id="inviteMember",
        summary="Invite an address with a role",
        tag="invitations",
        access=INVITE,
        takes=Invite,
        gives=Invited,
        status=201,
        refuses=(
            NotATeam,
            RoleUnknown,
            GrantsExceeded,
            AlreadyMember,
            AlreadyInvited,
            ExpiredInvitationThere,
            MemberLimit,
            InvitationRateLimited,
            IdempotencyKeyReused,
        ),
        idempotent=True,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/invitations/{invitation_id}/resend",
        handler=gated(resend),
        operation_id="resendInvitation",
        summary="Make a new link and kill the earlier ones",
        tag="invitations",
        access=INVITE,
        gives=Invited,
        refuses=(
            RoleUnknown,
            GrantsExceeded,
            ResendNotOffered,
            ExpiredInvitationThere,
            MemberLimit,
            InvitationRateLimited,
        ),
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/invitations/{invitation_id}",
        handler=gated(revoke),
        operation_id="revokeInvitation",
        summary="Kill an invitation's link at once",
        tag="invitations",
        access=INVITE,
    ),
)
