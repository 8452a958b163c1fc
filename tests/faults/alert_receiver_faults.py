"""Faults of what the product sends to: mail servers, and receivers of webhooks and streams."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller

from tests.faults.alert_drill import Drill, asking, killed, rename, sign_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def silent_server(port: int = 0) -> AsyncIterator[int]:
    """A server that accepts connections and never says a word; gives its port."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def a_silent_mail_server(drill: Drill) -> AsyncIterator[None]:
    """The mail server takes connections and does not answer; mails come faster than they end."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.product.mail))
        await stack.enter_async_context(silent_server(drill.product.smtp_port))
        await stack.enter_async_context(asking(drill, partial(sign_up, drill), pause=0.5))
        yield


@asynccontextmanager
async def no_mail_server(drill: Drill) -> AsyncIterator[None]:
    """The mail server is gone."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.product.mail))
        await stack.enter_async_context(asking(drill, partial(sign_up, drill)))
        yield


class _Refuses:
    """Refuses every recipient for good."""

    async def handle_RCPT(self, *_: object) -> str:  # noqa: N802 (aiosmtpd's name)
        return "550 5.1.1 There is not such a mailbox."


@asynccontextmanager
async def refused_mails(drill: Drill) -> AsyncIterator[None]:
    """The mail server knows none of the addresses."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(killed(drill.product.mail))
        server = Controller(_Refuses(), hostname="127.0.0.1", port=drill.product.smtp_port)
        server.start()
        stack.callback(server.stop)
        await stack.enter_async_context(asking(drill, partial(sign_up, drill)))
        yield


async def _make_webhook(drill: Drill, url: str) -> str:
    owner = drill.team.owner
    body = {"url": url, "event_types": ["account.*"]}
    done = await owner.send("POST", f"{drill.team.path}/webhooks", body)
    return str(done.expect(201)["id"])


@asynccontextmanager
async def a_webhook_to(drill: Drill, url: str) -> AsyncIterator[None]:
    """A webhook that is told each change of the account's name."""
    webhook = await _make_webhook(drill, url)
    try:
        async with asking(drill, *[partial(rename, drill)] * 3):
            yield
    finally:
        await drill.team.owner.send("DELETE", f"{drill.team.path}/webhooks/{webhook}")


@asynccontextmanager
async def no_internet(drill: Drill) -> AsyncIterator[None]:
    """The names of receivers cannot be looked up."""
    streams = f"{drill.team.path}/audit-streams"
    body = {"header": "Authorization", "secret": "Bearer 4f6b1c", "start": "beginning"}
    made = []
    for number in range(5):
        url = f"https://siem-{number}.invalid/ingest"
        done = await drill.team.owner.send("POST", streams, {"url": url, **body})
        made.append(done.expect(201)["id"])
    try:
        async with a_webhook_to(drill, "https://hooks.invalid/rolecall"):
            yield
    finally:
        for stream in made:
            await drill.team.owner.send("DELETE", f"{streams}/{stream}")


@asynccontextmanager
async def a_silent_receiver(drill: Drill) -> AsyncIterator[None]:
    """A receiver of webhooks takes connections and does not answer."""
    async with (
        silent_server() as port,
        a_webhook_to(drill, f"https://127.0.0.1:{port}/rolecall"),
    ):
        yield
