"""The collections of the connections of accounts, and of the domains that they have proved."""

from services.identity.domain.account_connections import AccountConnection
from shared.documents import changes, document, read
from shared.ids import AccountId
from shared.mongo import Database, DbSession, insert_once, majority, update_expected


class AccountConnectionRows:
    """Connections are few and are found by id or domain, before an account is known."""

    def __init__(self, database: Database) -> None:
        self._connections = majority(database, "sso_connections")
        self._domains = majority(database, "sso_domains")

    async def account_connection(
        self, connection_id: str, session: DbSession | None = None
    ) -> AccountConnection | None:
        """Find a connection by id."""
        found = await self._connections.find_one({"_id": connection_id}, session=session)
        return None if found is None else read(AccountConnection, found)

    async def connections_of(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[AccountConnection]:
        """Find the connections of an account, the oldest first."""
        wanted = {"account_id": account_id}
        found = self._connections.find(wanted, session=session).sort("created_at", 1)
        return [read(AccountConnection, row) async for row in found]

    async def connection_of_domain(self, domain: str) -> AccountConnection | None:
        """Find the connection that has proved a domain."""
        found = await self._domains.find_one({"_id": domain})
        return None if found is None else await self.account_connection(found["connection_id"])

    async def insert_connection(self, row: AccountConnection, session: DbSession) -> None:
        """Add a connection."""
        await insert_once(self._connections, document(row), session)

    async def save_proof(
        self, before: AccountConnection, after: AccountConnection, session: DbSession
    ) -> None:
        """Save that a connection has proved its domain.

        Raises:
            AlreadyThere: another one has.
        """
        row = {"_id": after.domain, "connection_id": after.id}
        await insert_once(self._domains, row, session)
        expected = {"_id": before.id, "challenge": before.challenge, "proved_at": None}
        await update_expected(self._connections, expected, {"$set": changes(after)}, session)

    async def update_connection(
        self, before: AccountConnection, after: AccountConnection, session: DbSession
    ) -> None:
        """Save a changed connection; one without its proof frees its domain.

        Raises:
            Lost: it has changed since it was read.
        """
        if before.proved_at is not None and after.proved_at is None:
            await self._free_domain(before, session)
        expected = {"_id": before.id, "challenge": before.challenge, "issuer": before.issuer}
        await update_expected(self._connections, expected, {"$set": changes(after)}, session)

    async def delete_connection(self, row: AccountConnection, session: DbSession) -> None:
        """Delete a connection, and free its domain."""
        await self._connections.delete_one({"_id": row.id}, session=session)
        await self._free_domain(row, session)

    async def _free_domain(self, row: AccountConnection, session: DbSession) -> None:
        wanted = {"_id": row.domain, "connection_id": row.id}
        await self._domains.delete_one(wanted, session=session)
