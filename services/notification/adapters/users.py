"""What identity tells about its users."""

from collections.abc import Awaitable
from typing import TypeVar

from shared.contracts.calls.identity import (
    READ_PEOPLE,
    USER,
    InternalUser,
    PeoplePage,
    PeopleQuery,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient
from shared.ids import UserId
from shared.problems import Refusal, RefusalKind

AnswerT = TypeVar("AnswerT")


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
        return await _found(self._internal.call(READ_PEOPLE, Service.IDENTITY, query))

    async def user(self, user_id: UserId) -> InternalUser | None:
        """Return a user.

        Raises:
            Unavailable: identity cannot be asked now.
        """
        asked = self._internal.call(USER, Service.IDENTITY, path={"user_id": user_id})
        return await _found(asked)


async def _found(asked: Awaitable[AnswerT]) -> AnswerT | None:
    try:
        return await asked
    except Refusal as refusal:
        if refusal.kind is RefusalKind.NOT_FOUND:
            return None
        raise
