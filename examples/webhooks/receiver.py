"""A receiver of webhooks, written from the text of Standard Webhooks 1.0 alone.

It verifies each request, takes each event once, and answers before it works. It imports nothing of
Rolecall.
"""

import asyncio
import base64
import hmac
import json
import os
import sys
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

TOLERANCE_SECONDS = 300
"""How far the time of a request may be from now, to refuse one that is sent again later."""
REMEMBERED = 10_000
"""The ids of the last events; a real receiver keeps them in its database."""
PREFIX = "whsec_"

Work = Callable[[Mapping[str, Any]], Awaitable[None]]


class NotVerifiedError(Exception):
    """The request is not one of the platform."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> str:
    """Return the id of a genuine request.

    Raises:
        NotVerifiedError: the signature does not fit, or the request is too old.
    """
    try:
        event_id, stamp = headers["webhook-id"], headers["webhook-timestamp"]
        sent_at, signatures = int(stamp), headers["webhook-signature"].split(" ")
    except (KeyError, ValueError):
        raise NotVerifiedError("A header of the signature is missing or malformed.") from None
    if abs(now - sent_at) > TOLERANCE_SECONDS:
        raise NotVerifiedError("The request is too old, or the clock is wrong.")
    key = base64.b64decode(secret.removeprefix(PREFIX))
    content = f"{event_id}.{stamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures):
        raise NotVerifiedError("No signature fits.")
    return event_id


class WebhookReceiver:
    """Takes events and hands each to `work` once."""

    def __init__(self, secret: str, work: Work, *, now: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._work = work
        self._now = now
        self._taken: OrderedDict[str, None] = OrderedDict()
        self._working: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        """Return the application, which takes events at `/webhooks`."""
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_post("/webhooks", self.take)
        return app

    async def take(self, request: web.Request) -> web.Response:
        """Take one request."""
        body = await request.read()
        try:
            event_id = verify(self._secret, request.headers, body, now=self._now())
        except NotVerifiedError as fault:
            return web.Response(status=401, text=str(fault))
        if event_id not in self._taken:
            self._taken[event_id] = None
            while len(self._taken) > REMEMBERED:
                self._taken.popitem(last=False)
            task = asyncio.create_task(self._do(json.loads(body)))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        return web.Response(status=204)

    async def _do(self, event: Mapping[str, Any]) -> None:
        await self._work(event)


async def show(event: Mapping[str, Any]) -> None:
    """Print what happened; put your own work here."""
    data = event["data"]
    actor, resource = data.get("actor", {}), data.get("resource", {})
    said = (event["timestamp"], event["type"], actor.get("name"), resource.get("name"))
    sys.stdout.write(" ".join(map(str, said)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    receiver = WebhookReceiver(os.environ["WEBHOOK_SECRET"], show)
    web.run_app(receiver.app(), host="127.0.0.1", port=int(os.environ.get("PORT", "8098")))
