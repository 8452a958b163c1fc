"""What identity tells about its users."""

from shared.contracts.calls.identity import READ_PEOPLE, PeoplePage, PeopleQuery
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.problems import Refusal, RefusalKind


class InternalUsers:
    """Asks identity."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def page(self, cursor: str | None) -> PeoplePage | None:
        """Return the page of users that a cursor names, or the first one.

        An identity of an earlier version does not list its users: `None`.

        Raises:
            Unavailable: identity cannot be asked now.
        """
        query = PeopleQuery(cursor=cursor)
        try:
            return await self._internal.call(READ_PEOPLE, Service.IDENTITY, query)
        except Refusal as refusal:
            if refusal.kind is RefusalKind.NOT_FOUND:
                return None
            raise
