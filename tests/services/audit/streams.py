"""Streams of the audit log, as tests send them: real receivers, and a sender by hand."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from aiohttp import web

from services.audit.domain.streams import LogStream, StreamStart
from services.audit.routes.stream_views import StreamView
from services.audit.use_cases.context import Ctx, StreamParts
from services.audit.use_cases.stream_sender import StreamSender
from services.audit.use_cases.streams import create_stream
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.http.outbound import Outbound
from shared.ids import AccountId, UserId
from shared.receivers.posts import ReceiverPosts
from shared.runtime.listeners import Listener, listen, url_of
from shared.sealed_secrets import SealedSecrets
from tests.services.audit.sealed_site import Sealing, record
from tests.services.audit.site import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.clock import Clock

LOOPBACK = ("127.0.0.0/8",)
KEY = bytes(range(32))
SECRET = "Splunk 5f0c-hidden"
ANA = Caller(actor=Actor(type="user", id="usr_ana"), request=RequestInfo(request_id="req_1"))


def stream_parts(clock: Clock, **options: Any) -> StreamParts:
    """What streams are sent with, to receivers on this machine."""
    networks = tuple(map(ip_network, LOOPBACK))
    outbound = Outbound(networks=networks, **options)
    return StreamParts(
        posts=ReceiverPosts(outbound, clock, user_agent="tests"),
        secrets=SealedSecrets(KEY, form=b"stream secret 1"),
        networks=networks,
    )


@dataclass
class SiemReceiver:
    """A receiver whose answers are scripted; without a script it takes each batch."""

    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int | Exception] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    status: int = 204
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append((await request.read()).decode())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        answer = self.answers.pop(0) if self.answers else self.status
        self.statuses.append(answer if isinstance(answer, int) else 0)
        if isinstance(answer, Exception):
            assert request.transport is not None
            request.transport.abort()
            raise answer
        return web.Response(status=answer, text="" if answer < 300 else "no room")

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        """The lines of each request."""
        return [list(map(json.loads, body.splitlines())) for body in self.bodies]

    @property
    def ids(self) -> list[str]:
        """The ids of the records of all requests."""
        return [line["id"] for batch in self.batches for line in batch if line["type"] == "record"]

    @property
    def taken_ids(self) -> list[str]:
        """The ids of the records of the requests that it did not refuse."""
        taken = [
            batch
            for batch, status in zip(self.batches, self.statuses, strict=True)
            if 200 <= status < 300
        ]
        return [line["id"] for batch in taken for line in batch if line["type"] == "record"]

    @property
    def tests(self) -> int:
        """The number of tests."""
        return sum(batch[0]["type"] == "test" for batch in self.batches)


@asynccontextmanager
async def siem() -> AsyncIterator[SiemReceiver]:
    """A receiver at an address of this machine."""
    receiver = SiemReceiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    sock = listen("127.0.0.1", 0)
    listener = Listener(app, sock)
    await listener.start()
    receiver.url = f"{url_of(sock)}/services/collector"
    yield receiver
    await listener.stop()


class Streaming:
    """An account's log with streams, and senders that look when a test says so."""

    def __init__(self, sealing: Sealing) -> None:
        self.sealing = sealing
        self.written: list[str] = []

    @property
    def ctx(self) -> Ctx:
        ctx: Ctx = self.sealing.auditing.ctx
        return ctx

    async def write(self, number: int) -> list[str]:
        """Record and seal the next records; their ids."""
        first = len(self.written) + 1
        records = [record(seq, account=ACCOUNT) for seq in range(first, first + number)]
        await self.sealing.add(*records)
        await self.sealing.applied(first + number - 1)
        await self.sealing.sealer(page=200).round()
        ids = [each.id for each in records]
        self.written += ids
        return ids

    async def make(
        self, receiver: SiemReceiver, *, start: StreamStart = StreamStart.NOW, **fields: Any
    ) -> LogStream:
        """A new stream to a receiver."""
        wanted = {"name": "SIEM", "url": receiver.url, "header": "Authorization", "secret": SECRET}
        made = await create_stream(
            self.ctx,
            ANA,
            AccountId(fields.pop("account", ACCOUNT)),
            user_id=UserId("usr_ana"),
            start=start,
            guard=None,
            answer=StreamView.of,
            **{**wanted, **fields},
        )
        return made.result.stream

    async def look(self, *, connections: int = 8, **parts: Any) -> None:
        """One look of a new process that is elected, until nothing is in hand."""
        sender = StreamSender(replace(self.ctx, **parts), connections=connections)
        await sender.look()
        await sender.settled()

    async def stored(self, stream: LogStream) -> LogStream:
        found: LogStream | None = await self.ctx.store.stream(stream.account_id, stream.id)
        assert found is not None
        return found
