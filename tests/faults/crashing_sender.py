"""A program that sends one mail or one webhook of notification, and kills itself at a given point.

What is due is in the database already. The program's clock is ahead by the given seconds.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from services.notification.store import Messages
from services.notification.use_cases.deliver import claim_due, deliver
from services.notification.use_cases.webhook_sender import claim_due_deliveries, send
from shared.http.outbound import Outbound
from shared.receivers.posts import ReceiverPosts
from shared.receivers.slots import Slots
from tests.faults.crashes import die
from tests.services.notification.conftest import MovedClock, Sending, make_sending


class SendPoint(StrEnum):
    """Where the sender dies."""

    MAIL_CLAIMED = "mail claimed, not sent"
    MAIL_TAKEN = "mail taken by the server, not noted"
    MAIL_INSIDE_NOTE = "inside the transaction that notes the mail"
    MAIL_NOTED = "mail noted as sent"
    WEBHOOK_CLAIMED = "webhook claimed, not sent"
    WEBHOOK_ANSWERED = "webhook answered, not noted"
    WEBHOOK_NOTED = "webhook noted as delivered"

    @property
    def of_mails(self) -> bool:
        """Whether it is a step of a mail."""
        return self.name.startswith("MAIL")


class DyingAfter:
    """A transport, or what makes the requests of webhooks: dies when it has its answer."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def send(self, mail: Any) -> None:
        """Send a mail, and die."""
        await self._inner.send(mail)
        die()

    async def post(self, *request: Any, **named: Any) -> None:
        """Make a request, and die."""
        await self._inner.post(*request, **named)
        die()


class DyingMessages(Messages):
    """The messages; dies inside the transaction that notes one as sent."""

    async def finish(self, *given: Any, **named: Any) -> Any:
        """Note a message, and die before the commit."""
        await super().finish(*given, **named)
        die()


async def send_mail(sending: Sending, point: SendPoint) -> None:
    """Send the mail that is due."""
    ctx = sending.ctx
    if point is SendPoint.MAIL_TAKEN:
        ctx = replace(ctx, transport=DyingAfter(ctx.transport))  # type: ignore[arg-type]
    if point is SendPoint.MAIL_INSIDE_NOTE:
        ctx = replace(ctx, messages=DyingMessages(sending.database))
    ((message, claim),) = await claim_due(ctx, limit=1)
    if point is SendPoint.MAIL_CLAIMED:
        die()
    await deliver(ctx, message, claim)
    die()


async def send_webhook(sending: Sending, point: SendPoint) -> None:
    """Make the request that is due."""
    networks = (ip_network("127.0.0.0/8"),)
    posts: Any = ReceiverPosts(Outbound(networks=networks), sending.clock, user_agent="tests")
    if point is SendPoint.WEBHOOK_ANSWERED:
        posts = DyingAfter(posts)
    ctx = replace(sending.ctx, posts=posts)
    slots = Slots(total=1)
    ((delivery, claim),) = await claim_due_deliveries(ctx, slots)
    if point is SendPoint.WEBHOOK_CLAIMED:
        die()
    await send(ctx, delivery, claim, slots)
    die()


async def main(mongo_url: str, database: str, smtp_port: str, point: str, ahead: str) -> None:
    """Send what is due, and die."""
    clock, where = MovedClock(), SendPoint(point)
    clock.ahead, clock.goes = timedelta(seconds=float(ahead)), True
    sending = await make_sending(mongo_url, database, port=int(smtp_port), clock=clock)
    await (send_mail if where.of_mails else send_webhook)(sending, where)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
