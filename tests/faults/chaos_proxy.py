"""A TCP proxy that breaks a link in the ways that networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self


@dataclass(eq=False)
class Direction:
    """One direction of the traffic: `flowing` is cleared to hold the bytes back."""

    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    budget: int | None = None

    def __post_init__(self) -> None:
        self.flowing.set()


@dataclass(eq=False)
class WatchedRequest:
    """The next request that contains `text`, and its answer; the answer waits for `release`."""

    text: bytes
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the proxy has the request, before the server gets it."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the proxy has the first bytes of the answer, before the client gets them."""
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let the answer pass."""
        self.released.set()


class Link:
    """One connection, and the watched request that is open on it."""

    def __init__(self) -> None:
        self.watched: WatchedRequest | None = None


class ChaosProxy:
    """Listens on a free port of 127.0.0.1 and forwards to `host:port` until told otherwise.

    Used as `async with ChaosProxy(host, port) as proxy`; `proxy.port` is where to connect.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self.to_server, self.to_client = Direction(), Direction()
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._watched: WatchedRequest | None = None
        self._refusing = False
        self.delay = 0.0
        """Seconds that every piece of data waits before it is forwarded."""
        self.accepted = 0
        """BrokerLinks that were forwarded."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.drop()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def drop(self) -> None:
        """Reset every connection; new ones are accepted."""
        for writer in self._writers:
            _reset(writer)

    def cut(self) -> None:
        """Reset every connection, and each new one."""
        self._refusing = True
        self.drop()

    def stall(self, *, to_server: bool = True, to_client: bool = True) -> None:
        """Keep connections open but hold the bytes back: a silent partition, or half of one."""
        if to_server:
            self.to_server.flowing.clear()
        if to_client:
            self.to_client.flowing.clear()

    def drop_after(self, count: int) -> None:
        """Reset the connection that sends the server its next `count` bytes, right after them."""
        self.to_server.budget = count

    def watch(self, request: WatchedRequest) -> None:
        """Watch for the request, and hold its answer back; several proxies may watch for it."""
        self._watched = request

    def heal(self) -> None:
        """Forward everything again, and first what was held back."""
        self._refusing = False
        self.delay = 0.0
        self.to_server.budget = None
        self.to_server.flowing.set()
        self.to_client.flowing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        self._writers.add(writer)
        try:
            if self._refusing:
                _reset(writer)
                return
            up_reader, up_writer = await asyncio.open_connection(*self._upstream)
            self.accepted += 1
            self._writers.add(up_writer)
            try:
                await self._forward(reader, writer, up_reader, up_writer)
            finally:
                self._writers.discard(up_writer)
                _reset(up_writer)
        except (OSError, asyncio.CancelledError):
            pass  # the end of this link; asyncio would report a cancelled one as an error
        finally:
            self._writers.discard(writer)
            _reset(writer)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        link = Link()
        pumps = [
            asyncio.create_task(self._pump(self.to_server, link, reader, up_writer)),
            asyncio.create_task(self._pump(self.to_client, link, up_reader, writer)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(
        self,
        direction: Direction,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(65536):
            if direction is self.to_server:
                self._notice(link, data)
            elif link.watched is not None:
                link.watched.answered.set()
                await link.watched.released.wait()
                link.watched = None
            if self.delay:
                await asyncio.sleep(self.delay)
            await direction.flowing.wait()
            if direction.budget is not None:
                data, direction.budget = data[: direction.budget], direction.budget - len(data)
                if direction.budget <= 0:
                    direction.budget = None
                    writer.write(data)
                    await writer.drain()
                    return
            await self.send_on(link, direction, writer, data)

    async def send_on(
        self, link: Link, direction: Direction, writer: asyncio.StreamWriter, data: bytes
    ) -> None:
        """Forward data that is not held back."""
        del link, direction
        writer.write(data)
        await writer.drain()

    def _notice(self, link: Link, data: bytes) -> None:
        """Tie the watched request to the connection that sends it."""
        watched = self._watched
        if watched is not None and not watched.sent.is_set() and watched.text in data:
            link.watched = watched
            watched.sent.set()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with RST, as a crashed host's network does."""
    linger = struct.pack("ii", 1, 0)
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
