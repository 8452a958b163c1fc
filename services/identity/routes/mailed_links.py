"""The routes that look at a mailed link before it is used."""

from dataclasses import asdict

from services.identity.domain.mailed_links import LinkInvalid, LinkStatus, MailedLinkKind
from services.identity.routes.address_change import AddressProof
from services.identity.routes.fields import Text
from services.identity.use_cases import mailed_links
from services.identity.use_cases.context import Ctx
from shared.http.access import Public, Session
from shared.http.routes import Answer, Body, Call, Route


class MailedLink(Body):
    """What the link is for, its token, and the code of a sign-up's mail if it was typed."""

    kind: MailedLinkKind
    token: Text
    code: Text | None = None


class AccessToEndView(Answer):
    """What a reset of the password can end, by `end_access`: `all` of it, or what is `recent`."""

    api_tokens: int
    identities: int
    recent_api_tokens: int
    recent_identities: int


class OpenedLinkView(Answer):
    """How far the link is: `open` works, `done` has done its work.

    `email` is the address that it proves or restores, or of the user whose password it resets. An
    open link to a reset has `access`, which can end with the password.
    """

    status: LinkStatus
    email: str | None
    access: AccessToEndView | None = None


class NewAddressView(Answer):
    """How far the link is, and the address that the user has once it is used."""

    status: LinkStatus
    email: str


async def look_up(ctx: Ctx, call: Call[MailedLink, None]) -> OpenedLinkView:
    """Return what the link is about; nothing changes."""
    body = call.body
    opened = await mailed_links.look_up(ctx, kind=body.kind, token=body.token, code=body.code)
    access = None if opened.access is None else AccessToEndView(**asdict(opened.access))
    return OpenedLinkView(status=opened.status, email=opened.email, access=access)


async def look_up_own(ctx: Ctx, call: Call[AddressProof, None]) -> NewAddressView:
    """Return what the link would change for the caller; nothing changes."""
    opened = await mailed_links.look_up_own(ctx, call.user, token=call.body.token)
    return NewAddressView(status=opened.status, email=str(opened.email))


ROUTES = (
    Route(
        method="POST",
        path="/v1/links/lookup",
        handler=look_up,
        operation_id="lookUpLink",
        summary="What a mailed link is about, and whether it still works",
        tag="sign-in",
        access=Public(),
        takes=MailedLink,
        gives=OpenedLinkView,
        refuses=(LinkInvalid,),
        on_repeat="Changes nothing.",
    ),
    Route(
        method="POST",
        path="/v1/me/email/lookup",
        handler=look_up_own,
        operation_id="lookUpNewEmail",
        summary="Which address the link to a new address gives the user",
        tag="me",
        access=Session(),
        takes=AddressProof,
        gives=NewAddressView,
        refuses=(LinkInvalid,),
        on_repeat="Changes nothing.",
    ),
)
