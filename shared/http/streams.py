"""Answers that are written piece by piece: server-sent events, or many records."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

EVENT_STREAM = "text/event-stream"
LOOK_SECONDS = 0.5
"""How often an answer that waits for its next piece looks whether its reader is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The pieces of a streamed answer; a reader that takes none for `stall_seconds` is cut off."""

    pieces: AsyncGenerator[bytes, None]
    stall_seconds: float
    media: str = EVENT_STREAM


class StreamedResponse(web.StreamResponse):
    """Writes its pieces after the request has left its lane and its deadline.

    aiohttp prepares and finishes every response outside of the handler. What is written there
    may take as long as the connection lives.
    """

    def __init__(self, stream: Stream, headers: Mapping[str, str]) -> None:
        super().__init__(headers={"Content-Type": stream.media, **headers})
        self._stream = stream
        self._request: web.BaseRequest | None = None
        self._next_look: asyncio.TimerHandle | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the headers; a reader that has left already ends the pieces."""
        self._request = request
        try:
            return await super().prepare(request)
        except BaseException:
            await self._stream.pieces.aclose()
            raise

    async def write_eof(self, data: bytes = b"") -> None:
        """Write every piece, then end the answer; stop soon after the reader has left."""
        try:
            async with asyncio.timeout(None) as reading, aclosing(self._stream.pieces) as pieces:
                self._look(reading)
                if self._request is not None and self._request.method != "HEAD":
                    async for piece in pieces:
                        await self._write(piece)
        except TimeoutError:
            if reading.expired():
                raise ConnectionResetError("the reader of a stream has left") from None
            raise
        finally:
            if self._next_look is not None:
                self._next_look.cancel()
        await super().write_eof(data)

    def _look(self, reading: asyncio.Timeout) -> None:
        """End the reading if the connection is gone: between two pieces nothing else would tell."""
        loop = asyncio.get_running_loop()
        transport = None if self._request is None else self._request.transport
        if transport is None or transport.is_closing():
            reading.reschedule(loop.time())
        else:
            self._next_look = loop.call_later(LOOK_SECONDS, self._look, reading)

    async def _write(self, piece: bytes) -> None:
        try:
            async with asyncio.timeout(self._stream.stall_seconds):
                await self.write(piece)
        except TimeoutError:
            if self._request is not None and self._request.transport is not None:
                self._request.transport.abort()
            raise ConnectionResetError("the reader of a stream does not read") from None
