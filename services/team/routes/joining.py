"""Which routes are for whoever holds an invitation's link?"""

from datetime import datetime

from pydantic import Field

from rolecall import Delivery
from services.team.domain.invitations import AlreadyMember, MemberLimit
from services.team.use_cases import joining
from services.team.use_cases.context import Ctx
from services.team.use_cases.joining import Opened
from shared.contracts.refusals import InvitationNotValid
from shared.http.access import Public, Session
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, InvitationId, MembershipId, UserId


class Proof(Body):
    """What a link carries: both are needed (`Ro8`)."""

    token: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=40)


class AccountName(Answer):
    """Which account it is."""

    id: AccountId
    name: str


class OpenedView(Answer):
    """What whoever holds the link is shown before they sign in or up."""

    invitation_id: InvitationId
    account: AccountName
    email: str
    role: str
    role_title: str
    inviter_name: str
    delivery: Delivery
    expires_at: datetime | None


class JoinedView(Answer):
    """The membership that accepting made."""

    account_id: AccountId
    account_name: str
    user_id: UserId
    membership_id: MembershipId
    role: str
    role_title: str
    joined_at: datetime


def opened_view(opened: Opened) -> OpenedView:
    """An invitation as its link shows it."""
    invitation = opened.invitation
    role = opened.catalog.catalog.role(invitation.role)
    return OpenedView(
        invitation_id=invitation.invitation_id,
        account=AccountName(id=opened.account.account_id, name=opened.account.name),
        email=invitation.email,
        role=invitation.role,
        role_title=invitation.role if role is None else role.title,
        inviter_name=invitation.inviter_name,
        delivery=invitation.delivery,
        expires_at=invitation.expires_at,
    )


async def lookup(ctx: Ctx, call: Call[Proof, None]) -> OpenedView:
    """What the link is for; nothing changes."""
    return opened_view(await joining.lookup(ctx, token=call.body.token, code=call.body.code))


async def accept(ctx: Ctx, call: Call[Proof, None]) -> Reply:
    """The caller joins."""
    written = await joining.accept(
        ctx,
        user_id=call.user.user_id,
        token=call.body.token,
        code=call.body.code,
        caller=call.caller,
        effective_everywhere=call.route.effective_everywhere,
        operation=call.route.operation_id,
    )
    joined = written.result
    role = joined.catalog.catalog.role(joined.membership.role)
    view = JoinedView(
        account_id=joined.account.account_id,
        account_name=joined.account.name,
        user_id=joined.membership.user_id,
        membership_id=joined.membership.membership_id,
        role=joined.membership.role,
        role_title=joined.membership.role if role is None else role.title,
        joined_at=joined.membership.joined_at,
    )
    headers = {}
    if not written.effective:
        headers["Location"] = f"/v1/accounts/{view.account_id}/revisions/{written.revision}"
    return Reply(body=view, headers=headers, written=written)


async def decline(ctx: Ctx, call: Call[Proof, None]) -> Reply:
    """Whoever holds the link says no."""
    written = await joining.decline(
        ctx, token=call.body.token, code=call.body.code, caller=call.caller
    )
    return Reply(written=written)


ROUTES = (
    Route(
        method="POST",
        path="/v1/invitations/lookup",
        handler=lookup,
        operation_id="lookUpInvitation",
        summary="What an invitation's link is for",
        tag="invitations",
        access=Public(),
        takes=Proof,
        gives=OpenedView,
        refuses=(InvitationNotValid,),
    ),
    Route(
        method="POST",
        path="/v1/invitations/accept",
        handler=accept,
        operation_id="acceptInvitation",
        summary="Join the account that I am invited to",
        tag="invitations",
        access=Session(),
        takes=Proof,
        gives=JoinedView,
        refuses=(InvitationNotValid, AlreadyMember, MemberLimit),
        effective_everywhere=True,
    ),
    Route(
        method="POST",
        path="/v1/invitations/decline",
        handler=decline,
        operation_id="declineInvitation",
        summary="Say no to an invitation",
        tag="invitations",
        access=Public(),
        takes=Proof,
        refuses=(InvitationNotValid,),
    ),
)
