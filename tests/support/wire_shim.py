"""A proxy between the driver and the database that understands messages, and plants faults.

It stands in for a replica set that loses its primary: none can fail over in a test. A command that
a fault matches is answered with an error of MongoDB, before the server had it or after.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import bson

if TYPE_CHECKING:
    from collections.abc import Sequence

    Document = dict[str, Any]

_HEADER = struct.Struct("<iiii")  # length, id, id of the request that it answers, kind
_FLAGS = struct.Struct("<I")
_OP_MSG = 2013
_BODY, _SEQUENCE = 0, 1


# Reads are not repeated by the driver, so each fault reaches the product. The monitor asks again at
# once: a server that changes its state tells a waiting monitor, and the shim does not.
_OPTIONS = "&retryReads=false&serverMonitoringMode=poll"


class How(Enum):
    """What becomes of a command that a fault matches."""

    REFUSED = "refused"
    """The server does not get it; the answer is the error."""
    DONE = "done"
    """The server carries it out; the answer is the error all the same."""
    NOT_MAJORITY = "done without its write concern"
    """The server carries it out; the answer says so, with a write-concern error."""
    LATE = "late"
    """The server gets it after the delay; its own answer comes at once then."""
    UNANSWERED = "unanswered"
    """The server carries it out, and the connection breaks before the answer."""


@dataclass(eq=False, kw_only=True)
class Fault:
    """The next `times` commands of this name (and collection) end as `how` says."""

    how: How
    command: str
    collection: str | None = None
    code: int = 0
    name: str = ""
    labels: Sequence[str] = ()
    earlier: int = 0
    """How many such commands pass before."""
    times: int = 1
    delay: float = 0.0
    """The seconds that the answer waits."""
    met: int = 0
    """How many commands it has met."""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set when the shim has the command."""
    answered: threading.Event = field(default_factory=threading.Event)
    """Set when the server has answered it."""

    def meets(self, command: Document) -> bool:
        """Whether it applies to this command; the `times` are counted."""
        name = next(iter(command))
        if name != self.command or self.met >= self.times:
            return False
        if self.collection is not None and command[name] != self.collection:
            return False
        if self.earlier:
            self.earlier -= 1
            return False
        self.met += 1
        self.reached.set()
        return True

    def answer(self, real: Document) -> Document:
        """The answer in place of the server's."""
        if self.how is How.NOT_MAJORITY:
            concern = {"code": self.code, "codeName": self.name, "errmsg": self.name}
            return {**real, "writeConcernError": concern, **self._labels()}
        error = {"ok": 0.0, "errmsg": self.name, "code": self.code, "codeName": self.name}
        return {**error, **self._labels()}

    def _labels(self) -> Document:
        return {"errorLabels": list(self.labels)} if self.labels else {}


class WireShim:
    """Listens on a free port of 127.0.0.1 and forwards to the database of `url`.

    Used as `with WireShim(url) as shim`; `shim.url` is the address for a client. It has a thread of
    its own, because a client that is closed says goodbye and waits.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        address = urlsplit(url)
        self._upstream = (address.hostname or "127.0.0.1", address.port or 27017)
        self._faults: list[Fault] = []
        self._links: set[asyncio.Task[None]] = set()
        self._accepted: set[asyncio.Task[None]] = set()
        self._closing = False

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire shim")
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._upstream
        own = self._server.sockets[0].getsockname()[1]
        self.url = self._url.replace(f"{host}:{port}", f"127.0.0.1:{own}") + _OPTIONS

    async def _close(self) -> None:
        self._closing = True
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.sleep(0)  # a connection that was accepted just now takes its place
        while self._accepted:  # they are not cancelled: each closes both of its ends
            await asyncio.wait(self._accepted)

    def plant(self, fault: Fault) -> Fault:
        """Let a fault meet commands from now on; of several, the first that matches."""
        self._faults.append(fault)
        return fault

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = asyncio.current_task()
        assert accepted is not None
        self._accepted.add(accepted)
        accepted.add_done_callback(self._accepted.discard)
        ends = [writer]
        try:
            from_server, to_server = await asyncio.open_connection(*self._upstream)
            ends.append(to_server)
            pair = _Link(self._faults, (reader, writer), (from_server, to_server))
            link = asyncio.create_task(pair.run())
            self._links.add(link)
            link.add_done_callback(self._links.discard)
            if self._closing:
                link.cancel()
            with suppress(asyncio.CancelledError, asyncio.IncompleteReadError):
                await link
        except OSError:
            return
        finally:
            for end in ends:
                end.transport.abort()
                with suppress(OSError):
                    await end.wait_closed()


class _Link:
    """One connection of the driver, and its own to the server."""

    def __init__(
        self,
        faults: Sequence[Fault],
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._faults = faults
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._met: dict[int, Fault] = {}
        """The fault of each request that the server has and has not answered."""

    async def run(self) -> None:
        """Carry messages until one side ends the connection."""
        tasks = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
                    await task

    async def _requests(self) -> None:
        while True:
            message = await _read(self._from_client)
            fault = None if message.command is None else self._fault(message.command)
            if fault is not None and fault.how is How.REFUSED:
                await asyncio.sleep(fault.delay)
                self._to_client.write(_reply(fault.answer({}), to=message.id))
                await self._to_client.drain()
                continue
            if fault is not None and fault.how is How.LATE:
                await asyncio.sleep(fault.delay)
            if fault is not None:
                self._met[message.id] = fault
            self._to_server.write(message.content)
            await self._to_server.drain()

    async def _answers(self) -> None:
        while True:
            message = await _read(self._from_server)
            fault = self._met.pop(message.answers, None)
            content = message.content
            if fault is not None:
                fault.answered.set()
            if fault is not None and fault.how is not How.LATE:
                await asyncio.sleep(fault.delay)
                if fault.how is How.UNANSWERED:
                    return
                content = _reply(fault.answer(message.command or {}), to=message.answers)
            self._to_client.write(content)
            await self._to_client.drain()

    def _fault(self, command: Document) -> Fault | None:
        return next((fault for fault in self._faults if fault.meets(command)), None)


@dataclass(frozen=True)
class _Message:
    """One message; `command` is its body, `None` where it is not of the kind OP_MSG."""

    id: int
    answers: int
    content: bytes
    command: Document | None


async def _read(reader: asyncio.StreamReader) -> _Message:
    header = await reader.readexactly(_HEADER.size)
    length, own, answers, kind = _HEADER.unpack(header)
    rest = await reader.readexactly(length - _HEADER.size)
    command = _body(rest) if kind == _OP_MSG else None
    return _Message(own, answers, header + rest, command)


def _body(rest: bytes) -> Document | None:
    """The body of an OP_MSG, whose sections come in any order."""
    place = _FLAGS.size
    while place < len(rest):
        section, place = rest[place], place + 1
        size = int.from_bytes(rest[place : place + 4], "little")
        if section == _BODY:
            return bson.decode(rest[place : place + size])
        assert section == _SEQUENCE
        place += size
    return None


def _reply(body: Document, *, to: int) -> bytes:
    content = _FLAGS.pack(0) + bytes([_BODY]) + bson.encode(body)
    return _HEADER.pack(_HEADER.size + len(content), 0, to, _OP_MSG) + content
