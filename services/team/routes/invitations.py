"""Routes of invitations, for the members who invite."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rolecall import Delivery
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import NotATeam
from services.team.domain.authority import EndExceeded, GrantsExceeded
from services.team.domain.catalog_texts import Translations, author_words, own_title
from services.team.domain.doubtful_addresses import SimilarDomain, ThrowAwayAddress
from services.team.domain.invitation_limits import InvitationRateLimited
from services.team.domain.invitation_resend import (
    MembershipEndPast,
    ResendNotOffered,
    offered,
)
from services.team.domain.invitations import (
    AlreadyInvited,
    AlreadyMember,
    ExpiredInvitationThere,
    Invitation,
)
from services.team.domain.member_list import MemberListStatus, NoSuchPlace, invitation_status
from services.team.domain.members import MemberLimit
from services.team.domain.roles import RoleUnknown, role_title
from services.team.routes.invitation_states import (
    LockedView,
    NotMailedView,
    locked_view,
    not_mailed_view,
)
from services.team.use_cases import invitations
from services.team.use_cases.context import AccountRequest, Ctx
from shared.addresses import Address, parse_address
from shared.http.access import Permission
from shared.http.moments import StoredMoment
from shared.http.paging import Page, PageQuery, not_a_cursor, read_cursor, write_cursor
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import InvitationId, UserId
from shared.links import Link

VIEW = Permission("member:view")
INVITE = Permission("member:invite")


def _address(text: str) -> str:
    return parse_address(text).typed


class Invite(Body):
    """Address, role, and how the link is delivered (default: the catalog's first delivery).

    `membership_expires_at` is when the membership ends by itself; without it, it does not.
    With `check_address` an address is refused that deserves a second look: a throw-away mailbox,
    or a domain that resembles that of a member or of a well-known host.
    """

    email: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_address)]
    role: str = Field(min_length=1, max_length=64)
    delivery: Delivery | None = None
    membership_expires_at: StoredMoment | None = None
    check_address: bool = False

    @property
    def address(self) -> Address:
        """The address with its comparison key."""
        return parse_address(self.email)


class InvitationView(Answer):
    """A pending invitation (`invited`), or one whose time is over (`expired`).

    `not_mailed` is set if the delivery is `email` and no mail is sent, or it was refused. `locked`
    is set if too many wrong codes were entered. `resend_offered` says whether the catalog sends
    the invitation again, which makes another link. `membership_expires_at` is when the membership
    that it gives ends by itself. `passed_from` made the link and may not give the role any more;
    then `invited_by` is the new inviter. A resend confirms it. `translations` has the title of the
    role in other languages, as the catalog has them.
    """

    id: InvitationId
    status: MemberListStatus
    email: str
    role: str
    role_title: str
    translations: Translations
    delivery: Delivery
    invited_by: UserId
    invited_by_name: str
    created_at: datetime
    expires_at: datetime | None
    not_mailed: NotMailedView | None = None
    locked: LockedView | None = None
    resend_offered: bool
    passed_from: UserId | None = None
    passed_from_name: str | None = None
    membership_expires_at: datetime | None = None


class LinkView(Answer):
    """What opens the invitation: `POST /v1/invitations/lookup` and `/accept` take token and code.

    The URL contains both, for a page of the platform; this version has no page of its own.
    """

    token: str
    code: str
    url: str


class Invited(Answer):
    """The invitation; with delivery `link` also the link, which is shown once.

    A repeated request with the same idempotency key has `link: null` and `note: "shown-once"`.
    """

    invitation: InvitationView
    link: LinkView | None
    note: Literal["shown-once"] | None = None


def invitation_view(access: AccountAccess, invitation: Invitation) -> InvitationView:
    """An invitation, without its link."""
    resend = offered(access.catalog, invitation, now=access.now)
    return InvitationView(
        id=invitation.invitation_id,
        status=invitation_status(invitation, now=access.now),
        email=invitation.email,
        role=invitation.role,
        role_title=role_title(access.catalog, invitation.role),
        translations=author_words(access.catalog, own_title(access.catalog, invitation.role)),
        delivery=invitation.delivery,
        invited_by=invitation.inviter_user_id,
        invited_by_name=invitation.inviter_name,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
        not_mailed=not_mailed_view(invitation, resend=resend),
        locked=locked_view(invitation, resend=resend),
        resend_offered=resend,
        passed_from=invitation.passed_from,
        passed_from_name=invitation.passed_from_name,
        membership_expires_at=invitation.membership_expires_at,
    )


def link_view(ctx: Ctx, link: Link) -> LinkView:
    """The URL of the invitation's page, with the token and the code."""
    token, code = ctx.links.token(link), ctx.links.code(link)
    base = ctx.settings.public_url
    url = f"{base}/invitations?token={token}&code={code}"
    return LinkView(token=token, code=code, url=url)


def _invited(ctx: Ctx, made: tuple[AccountAccess, Invitation]) -> Invited:
    access, invitation = made
    shown = None
    if invitation.delivery is Delivery.LINK:
        shown = link_view(ctx, Link(invitation.invitation_id, invitation.generation))
    return Invited(invitation=invitation_view(access, invitation), link=shown)


def _invited_before(made: tuple[AccountAccess, Invitation]) -> Invited:
    """The answer of a repeated request, which shows no link."""
    access, invitation = made
    return Invited(
        invitation=invitation_view(access, invitation),
        link=None,
        note="shown-once" if invitation.delivery is Delivery.LINK else None,
    )


async def list_pending(
    ctx: Ctx, call: Call[None, PageQuery], access: AccountAccess
) -> Page[InvitationView]:
    """List pending and expired invitations, the newest first (`Rp6`)."""
    after = read_cursor(call)
    try:
        page = await invitations.list_pending(ctx, access, after=after, limit=call.query.limit)
    except NoSuchPlace:
        raise not_a_cursor() from None
    following = page.following
    return Page[InvitationView](
        items=[invitation_view(access, invitation) for invitation in page.rows],
        next_cursor=None if following is None else write_cursor(call, following),
    )


async def create(ctx: Ctx, call: Call[Invite, None], request: AccountRequest) -> Reply:
    """Invite an address with a role."""
    written = await invitations.create(
        ctx,
        request,
        address=call.body.address,
        role_id=call.body.role,
        delivery=call.body.delivery,
        membership_expires_at=call.body.membership_expires_at,
        check_address=call.body.check_address,
    )
    return Reply(body=_invited(ctx, written.result), written=written)


async def resend(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Make a new link; earlier links stop working, unless nothing is mailed."""
    written = await invitations.resend(
        ctx, request, invitation_id=InvitationId(call.path["invitation_id"])
    )
    return Reply(body=_invited(ctx, written.result), written=written)


async def revoke(ctx: Ctx, call: Call[None, None], request: AccountRequest) -> Reply:
    """Close an invitation's link."""
    written = await invitations.revoke(
        ctx, request, invitation_id=InvitationId(call.path["invitation_id"])
    )
    return Reply(written=written)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/invitations",
        handler=list_pending,
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
        handler=create,
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
            EndExceeded,
            AlreadyMember,
            AlreadyInvited,
            ExpiredInvitationThere,
            ThrowAwayAddress,
            SimilarDomain,
            MemberLimit,
            InvitationRateLimited,
        ),
        idempotent=True,
        repeat_answer=_invited_before,
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account_id}/invitations/{invitation_id}/resend",
        handler=resend,
        operation_id="resendInvitation",
        summary="Make a new link and close the earlier ones",
        tag="invitations",
        access=INVITE,
        gives=Invited,
        refuses=(
            RoleUnknown,
            GrantsExceeded,
            EndExceeded,
            MembershipEndPast,
            ResendNotOffered,
            ExpiredInvitationThere,
            MemberLimit,
            InvitationRateLimited,
        ),
        idempotent=True,
        repeat_answer=_invited_before,
    ),
    Route(
        method="DELETE",
        path="/v1/accounts/{account_id}/invitations/{invitation_id}",
        handler=revoke,
        operation_id="revokeInvitation",
        summary="Close an invitation's link at once",
        tag="invitations",
        access=INVITE,
    ),
)
