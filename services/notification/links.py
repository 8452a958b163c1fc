"""The links of mails, made by the services that own them at the moment that a mail is sent."""

from services.notification.domain import Link, LinkName
from shared.contracts.calls import (
    INVITATION_LINK,
    VERIFICATION_LINK,
    InvitationLinkRequest,
    VerificationLinkRequest,
)
from shared.http.client import InternalClient


class Owners:
    """Asks the owners of links; their answers are not stored."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def link(self, name: LinkName) -> Link:
        """The URL and the code; see `AsksForLinks`."""
        if name.kind == "invitation":
            answer = await self._internal.call(
                INVITATION_LINK,
                name.owner,
                InvitationLinkRequest(kind="invitation", id=name.id, generation=name.generation),
            )
        else:
            answer = await self._internal.call(
                VERIFICATION_LINK,
                name.owner,
                VerificationLinkRequest(
                    kind="verification", id=name.id, generation=name.generation
                ),
            )
        return Link(url=answer.url, code=answer.code)
