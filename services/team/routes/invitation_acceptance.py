"""Routes for the holder of an invitation's link."""

from datetime import datetime

from pydantic import Field

from rolecall import Delivery
from services.team.domain.catalog_texts import Translations, author_words, own_title
from services.team.domain.invitation_acceptance import AlreadyJoined
from services.team.domain.members import NoFreeSeat
from services.team.domain.roles import role_title
from services.team.use_cases import invitation_acceptance
from services.team.use_cases.context import Ctx
from services.team.use_cases.invitation_acceptance import LinkPreview
from shared.contracts.refusals import InvitationNotValid
from shared.http.access import Public, Session
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import AccountId, InvitationId, MembershipId, UserId


class Proof(Body):
    """The token and the code of a link; both are needed (`Ro8`)."""

    token: str = Field(min_length=1, max_length=200)
    code: str = Field(min_length=1, max_length=40)


class AccountName(Answer):
    """An account by id and name."""

    id: AccountId
    name: str


class OpenedView(Answer):
    """What the link shows before its holder signs in or up.

    `translations` has the title of the role in other languages, as the catalog has them.
    """

    invitation_id: InvitationId
    account: AccountName
    email: str
    role: str
    role_title: str
    translations: Translations
    inviter_name: str
    delivery: Delivery
    expires_at: datetime | None


class JoinedView(Answer):
    """The membership that the acceptance made."""

    account_id: AccountId
    account_name: str
    user_id: UserId
    membership_id: MembershipId
    role: str
    role_title: str
    joined_at: datetime


def opened_view(opened: LinkPreview) -> OpenedView:
    """An invitation as its link shows it."""
    invitation = opened.invitation
    return OpenedView(
        invitation_id=invitation.invitation_id,
        account=AccountName(id=opened.account.account_id, name=opened.account.name),
        email=invitation.email,
        role=invitation.role,
        role_title=role_title(opened.catalog, invitation.role),
        translations=author_words(opened.catalog, own_title(opened.catalog, invitation.role)),
        inviter_name=invitation.inviter_name,
        delivery=invitation.delivery,
        expires_at=invitation.expires_at,
    )


async def lookup(ctx: Ctx, call: Call[Proof, None]) -> OpenedView:
    """Show what the link is for; nothing changes."""
    return opened_view(
        await invitation_acceptance.lookup(ctx, token=call.body.token, code=call.body.code)
    )


async def accept(ctx: Ctx, call: Call[Proof, None]) -> Reply:
    """Make the caller a member."""
    written = await invitation_acceptance.accept(
        ctx,
        user_id=call.user.user_id,
        token=call.body.token,
        code=call.body.code,
        caller=call.caller,
        operation=call.route.operation_id,
    )
    joined = written.result
    view = JoinedView(
        account_id=joined.account.account_id,
        account_name=joined.account.name,
        user_id=joined.membership.user_id,
        membership_id=joined.membership.membership_id,
        role=joined.membership.role,
        role_title=role_title(joined.catalog, joined.membership.role),
        joined_at=joined.membership.joined_at,
    )
    headers = {}
    if not written.effective:
        headers["Location"] = f"/v1/accounts/{view.account_id}/revisions/{written.revision}"
    return Reply(body=view, headers=headers, written=written)


async def decline(ctx: Ctx, call: Call[Proof, None]) -> Reply:
    """Decline the invitation."""
    written = await invitation_acceptance.decline(
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
        on_repeat="Changes nothing.",
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
        refuses=(InvitationNotValid, AlreadyJoined, NoFreeSeat),
        effective_everywhere=True,
        on_repeat="Finds the membership and answers with it.",
    ),
    Route(
        method="POST",
        path="/v1/invitations/decline",
        handler=decline,
        operation_id="declineInvitation",
        summary="Decline an invitation",
        tag="invitations",
        access=Public(),
        takes=Proof,
        refuses=(InvitationNotValid,),
        on_repeat="Finds the link closed: 410.",
    ),
)
