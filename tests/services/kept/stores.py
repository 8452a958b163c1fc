"""The stores of one database, for the writes of its documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from services.identity.store import Store as IdentityStore
from services.notification.store import Messages
from services.team.store import Store as TeamStore
from shared.mongo import transact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.mongo import Database, DbClient, DbSession

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Stores:
    """The stores of a database, and transactions in it."""

    client: DbClient
    database: Database

    @property
    def team(self) -> TeamStore:
        return TeamStore(self.database)

    @property
    def identity(self) -> IdentityStore:
        return IdentityStore(self.database)

    @property
    def messages(self) -> Messages:
        return Messages(self.database)

    async def transact(self, change: Callable[[DbSession], Awaitable[Any]]) -> Any:
        return await transact(self.client, change)


class Writes(Protocol):
    """Writes the document of a case; its last change is at `FAR`."""

    async def __call__(self, stores: Stores) -> None: ...
