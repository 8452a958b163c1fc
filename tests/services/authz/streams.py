"""A reader of the policy stream for tests, and objects that write to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rolecall.aio import ClientRefusedError
from rolecall.aio.credentials import ClientToken
from rolecall.aio.event_stream import EventReader
from shared.runtime.service import ServiceApp

SILENCE_SECONDS = 30.0
"""An event comes every second; a stream that should end and does not is silent or goes on."""
STREAM = "/v1/authz/policy-stream"


class GivenToken(ClientToken):
    """A token of the test; `gone` is a client that identity does not know."""

    def __init__(self, token):
        self.given = token
        self.gone = False

    async def token(self, *, until, refused=None):
        if self.gone:
            raise ClientRefusedError("invalid_client")
        return self.given


class Told:
    """The events of one stream, in order."""

    def __init__(self, response: Any) -> None:
        self.status = response.status
        self.headers = response.headers
        self.last_id: str | None = None
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._content = response.content
        self._reader = EventReader()
        self._waiting: list[Any] = []

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event: its name and content.

        Raises:
            EOFError: the stream is over.
        """
        while not self._waiting:
            async with asyncio.timeout(SILENCE_SECONDS):
                piece = await self._content.readany()
            if not piece:
                raise EOFError
            self._waiting += self._reader.feed(piece)
        event = self._waiting.pop(0)
        self.last_id = event.id or self.last_id
        self.events.append((event.name, json.loads(event.data)))
        return self.events[-1]

    async def until(self, name: str) -> dict[str, Any]:
        """Read up to the next event of this name; its content."""
        async with asyncio.timeout(SILENCE_SECONDS):
            while True:
                found, content = await self.next()
                if found == name:
                    return content

    def objects(self) -> list[tuple[str, str, Any]]:
        """Kind, id and state of every object that was told, but for catalogs."""
        return [
            (each["kind"], each["id"], each["state"])
            for name, content in self.events
            if name in {"state", "change"}
            for each in content["objects"]
            if each["kind"] != "catalog"
        ]


@asynccontextmanager
async def policy_stream(
    world: Any,
    service: ServiceApp,
    *,
    token: str | None = None,
    account: str | None = None,
    after: str | None = None,
    group: int | None = None,
) -> AsyncIterator[Told]:
    """An open policy stream of a service client."""
    headers = {"Authorization": f"Bearer {token or world.client_token()}"}
    if after is not None:
        headers["Last-Event-ID"] = after
    url = service.addresses["public"] + STREAM
    params = {} if account is None else {"account": account}
    params |= {} if group is None else {"group": str(group)}
    response = await world.http.get(url, headers=headers, params=params)
    try:
        yield Told(response)
    finally:
        response.close()
