"""The collection of service clients."""

from services.identity.domain.service_clients import ServiceClient
from shared.documents import changes, document, read
from shared.ids import ClientId
from shared.mongo import Database, DbSession, insert_once, majority, update_expected


class ServiceClientRows:
    """Service clients; a platform has tens of them."""

    def __init__(self, database: Database) -> None:
        self._clients = majority(database, "service_clients")

    async def client(
        self, client_id: ClientId, session: DbSession | None = None
    ) -> ServiceClient | None:
        """Find a service client by id, also a disabled or deleted one."""
        found = await self._clients.find_one({"_id": client_id}, session=session)
        return None if found is None else read(ServiceClient, found)

    async def clients(self, session: DbSession | None = None) -> list[ServiceClient]:
        """Find every service client, deleted ones too."""
        found = self._clients.find({}, session=session)
        return [read(ServiceClient, row) async for row in found]

    async def insert_client(self, client: ServiceClient, session: DbSession) -> None:
        """Add a service client."""
        await insert_once(self._clients, document(client), session)

    async def update_client(
        self, before: ServiceClient, after: ServiceClient, session: DbSession
    ) -> None:
        """Save a client over the state that was read.

        Raises:
            Lost: the client has changed since.
        """
        expected = {"_id": before.id, "secret_hash": before.secret_hash}
        await update_expected(self._clients, expected, {"$set": changes(after)}, session)
