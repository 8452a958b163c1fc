"""Who makes the link of a mail, at the moment that the mail goes out?"""

from pydantic import BaseModel, ConfigDict

from services.notification.domain import Link, LinkName
from shared.http.client import InternalClient


class _MadeLink(BaseModel):
    model_config = ConfigDict(frozen=True)

    url: str
    code: str | None = None


class Owners:
    """Asks the services that own links; what they answer is kept nowhere."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def link(self, name: LinkName) -> Link:
        """The URL and the code; see `AsksForLinks`."""
        body = {"kind": name.kind, "id": name.id, "generation": name.generation}
        made = _MadeLink.model_validate(
            await self._internal.post(name.owner, "/internal/links", body)
        )
        return Link(url=made.url, code=made.code)
