"""A Rolecall of tests that answers what a test says, and fails in the ways of networks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from rolecall.aio import Rolecall
from shared.cancellation import end

ALLOW = {"decision": True, "context": {"reason": "allowed", "role": "developer"}}
DENY = {"decision": False, "context": {"reason": "not-a-member"}}
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    """What was sent."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FaultyRolecall:
    """`answers` has, by path, what to answer next: a status and content, or a function."""

    url: str = ""
    asked: list[Request] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            try:
                while not writer.is_closing():
                    await self._one(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *lines = head.strip().split("\r\n")
        method, target, _ = line.split(" ")
        headers = {name.lower(): value for name, value in (x.split(": ", 1) for x in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Request(method, target, headers, _parsed(body)))
        await self._answer(target.partition("?")[0], writer)
        await writer.drain()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        known = self.answers.get(path, (404, {"code": "not-found"}))
        if isinstance(known, list):
            known = known.pop(0) if len(known) > 1 else known[0]
        if callable(known):
            await known(writer)
            return
        write(writer, *known)


def write(writer: asyncio.StreamWriter, status: int, content: Any, **headers: str) -> None:
    """Write one whole answer."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    known = {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in known.items())
    writer.write(f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode() + body)


async def stall(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def cut_in_the_middle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + json.dumps(ALLOW).encode())
    await writer.drain()
    writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
    for _ in range(600):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


@asynccontextmanager
async def faulty_rolecall() -> AsyncIterator[FaultyRolecall]:
    """A running one, which gives tokens and allows everything until a test says otherwise."""
    made = FaultyRolecall()
    made.answers["/oauth2/token"] = 200, {"access_token": "t1", "expires_in": 600}
    made.answers["/access/v1/evaluation"] = 200, ALLOW
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await end(made.tasks)


def client(server: FaultyRolecall, **more: Any) -> Rolecall:
    """A client of this server."""
    return Rolecall(server.url, client_id="cli_1", client_secret="s:cret", **more)
