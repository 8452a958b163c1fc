"""The services that own links make them when a mail is sent."""

from services.notification.domain.messages import (
    HiddenRecipient,
    LinkRequest,
    MailLink,
    link_owner,
)
from shared.contracts.calls.identity import (
    ADDRESS_LINK,
    FACTOR_LINK,
    FAREWELL,
    FAREWELL_SENT,
    PASSWORD_RESET_LINK,
    SIGN_UP_LINK,
    VERIFICATION_LINK,
    AddressLinkRequest,
    FactorLinkRequest,
    FarewellRequest,
    PasswordResetLinkRequest,
    SignUpLinkRequest,
    VerificationLinkRequest,
)
from shared.contracts.calls.team import INVITATION_LINK, InvitationLinkRequest
from shared.http.client import InternalClient


class InternalLinkSource:
    """Asks the owners of links by their internal routes; the answers are not stored."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def link(self, request: LinkRequest) -> MailLink | HiddenRecipient:
        """Ask the owner for the URL and the code, or for the recipient; see `LinkSource`."""
        owner = link_owner(request)
        match request:
            case InvitationLinkRequest():
                answer = await self._internal.call(INVITATION_LINK, owner, request)
            case SignUpLinkRequest():
                answer = await self._internal.call(SIGN_UP_LINK, owner, request)
            case PasswordResetLinkRequest():
                reset = await self._internal.call(PASSWORD_RESET_LINK, owner, request)
                return MailLink(url=reset.url)
            case AddressLinkRequest():
                return MailLink(url=(await self._internal.call(ADDRESS_LINK, owner, request)).url)
            case FactorLinkRequest():
                return MailLink(url=(await self._internal.call(FACTOR_LINK, owner, request)).url)
            case FarewellRequest():
                told = await self._internal.call(FAREWELL, owner, request)
                return HiddenRecipient(email=told.email, name=told.name)
            case VerificationLinkRequest():
                answer = await self._internal.call(VERIFICATION_LINK, owner, request)
        return MailLink(url=answer.url, code=answer.code)

    async def done(self, request: FarewellRequest) -> None:
        """Tell the owner that the recipient is not needed any more; see `LinkSource`."""
        await self._internal.call(FAREWELL_SENT, link_owner(request), request)
