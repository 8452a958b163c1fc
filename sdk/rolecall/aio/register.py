"""The resources of a platform service, registered with team."""

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import quote

from rolecall.aio.credentials import ClientToken
from rolecall.aio.refusals import undecided
from rolecall.aio.transport import Transport
from rolecall.core.state import Resource

REGISTER_SCOPE = "resources:write"
REVISION_HEADER = "Rolecall-Revision"
Property = str | int | float | bool


class ResourceRegister:
    """Registers and deletes resources, each by one request that is safe to repeat."""

    def __init__(self, transport: Transport, credentials: ClientToken, *, timeout: float) -> None:
        self._transport = transport
        self._credentials = credentials
        self._timeout = timeout

    async def put(
        self,
        account_id: str,
        resource_type: str,
        resource: Resource,
        properties: Mapping[str, Property],
    ) -> str | None:
        """Register a resource, or replace what is registered of it.

        Raises:
            UndecidedError: it is refused, or not known to be registered.
            ValueError: the resource has no id.
        """
        if resource.id is None:
            raise ValueError("A resource without an id cannot be registered. Give it one.")
        body = {
            "owner_id": resource.owner_id,
            "project_id": resource.project_id,
            "properties": properties,
        }
        return await self._send("PUT", _path(account_id, resource_type, resource.id), body)

    async def delete(self, account_id: str, resource_type: str, resource_id: str) -> str | None:
        """Delete a resource from the register, if it is there.

        Raises:
            UndecidedError: it is refused, or not known to be gone.
        """
        return await self._send("DELETE", _path(account_id, resource_type, resource_id), None)

    async def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> str | None:
        until = asyncio.get_running_loop().time() + self._timeout
        token = await self._credentials.token(until=until)
        answer, headers = await self._transport.send(
            method,
            path,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=None if body is None else json.dumps(body).encode(),
            until=until,
        )
        gone = method == "DELETE" and answer.status == 404
        if not gone and not 200 <= answer.status < 300:
            raise undecided(answer, headers)
        return headers.get(REVISION_HEADER)


def _path(account_id: str, resource_type: str, resource_id: str) -> str:
    parts = (quote(part, safe="") for part in (account_id, resource_type, resource_id))
    return "/v1/accounts/{}/resources/{}/{}".format(*parts)
