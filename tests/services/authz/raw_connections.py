"""Connections of a replica without sockets: each piece of bytes arrives as a test sends it."""

import asyncio
import re
from typing import Any

from aiohttp import web

from services.authz.adapters.hot_connections import HotConnection
from shared.runtime.service import ServiceApp
from tests.waiting import wait_for

PEER = ("127.0.0.1", 4711)
TURNS, TURNS_OF_A_REFUSAL = 300, 40
"""Turns of the event loop: those of an answer, and those of one that does not wait for the body."""
_MADE_UP = re.compile(rb"req_[0-9a-f]{32}|(?<=\r\nDate: )[^\r]+")


class Wire(asyncio.Transport):
    """The server's end of a connection; what it writes is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.writes = 0
        self.closed = False
        self.paused = False
        self.protocol: Any = None

    def write(self, data: Any) -> None:
        assert not self.closed
        self.written += bytes(data)
        self.writes += 1

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return PEER if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class RawConnection:
    """One connection to the public port of a replica."""

    def __init__(self, service: ServiceApp) -> None:
        server = service._listeners["public"]._runner.server
        assert isinstance(server, web.Server)
        self.wire = Wire()
        self.protocol = self.wire.protocol = server()
        self.protocol.connection_made(self.wire)

    @property
    def ordinary(self) -> bool:
        """Whether aiohttp has the connection."""
        return not isinstance(self.protocol, HotConnection) or self.protocol._ordinary

    @property
    def answers(self) -> bytes:
        """What was written, without ids and dates that no two answers share."""
        return _MADE_UP.sub(b"*", self.wire.written)

    async def send(self, *pieces: bytes) -> "RawConnection":
        """Send these pieces, and wait until all that can be answered is answered."""
        for piece in pieces:
            await asyncio.sleep(0)
            if not self.wire.closed:
                self.protocol.data_received(piece)
        await self.settle()
        return self

    async def settle(self) -> None:
        """Wait until all that can be answered is answered."""
        waits_for_body = 0
        for _ in range(TURNS):
            if self._idle():
                return
            request = self.protocol._current_request
            waits_for_body += request is not None and not request._payload.is_eof()
            if waits_for_body > TURNS_OF_A_REFUSAL:
                return
            await asyncio.sleep(0)
        await wait_for(self._idle)

    def _idle(self) -> bool:
        if self.wire.closed:
            return True
        if isinstance(self.protocol, HotConnection) and self.protocol._begun:
            return True
        waiter = self.protocol._waiter
        return waiter is not None and not waiter.done() and not self.protocol._messages

    async def hand_over(self) -> None:
        """Let the time pass for which the hot path waits for the rest of a request."""
        if isinstance(self.protocol, HotConnection) and self.protocol._begun:
            if not self.wire.closed:
                self.protocol._hand_over()
            await self.settle()

    def end(self) -> None:
        """Let the client close the connection."""
        self.wire.close()
