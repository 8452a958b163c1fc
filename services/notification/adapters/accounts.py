"""What team tells about accounts."""

from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    ConnectionAccount,
    ConnectionAccountRequest,
)
from shared.contracts.topology import Service
from shared.http.client import InternalClient


class InternalAccounts:
    """Asks team."""

    def __init__(self, internal: InternalClient) -> None:
        self._internal = internal

    async def managers(self, account_id: str) -> ConnectionAccount:
        """Return the account's name, and the addresses of those who manage its members.

        Raises:
            Unavailable: team cannot be asked now.
        """
        request = ConnectionAccountRequest(account_id=account_id, managers=True)
        return await self._internal.call(CONNECTION_ACCOUNT, Service.TEAM, request)
