"""The collection of service clients."""

from services.identity.domain.service_clients import ServiceClient
from shared.documents import document, read
from shared.ids import ClientId
from shared.mongo import Database, DbSession, insert_once, majority


class ServiceClientRows:
    """Service clients; a platform has tens of them."""

    def __init__(self, database: Database) -> None:
        self._clients = majority(database, "service_clients")

    async def client(self, client_id: ClientId) -> ServiceClient | None:
        """Find a service client by id."""
        found = await self._clients.find_one({"_id": client_id})
        return None if found is None else read(ServiceClient, found)

    async def clients(self, session: DbSession) -> list[ServiceClient]:
        """Find every service client."""
        found = self._clients.find({}, session=session)
        return [read(ServiceClient, row) async for row in found]

    async def insert_client(self, client: ServiceClient, session: DbSession) -> None:
        """Add a service client."""
        await insert_once(self._clients, document(client), session)
