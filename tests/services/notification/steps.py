"""Steps that the tests of delivery share: facts in, messages out."""

from dataclasses import replace
from datetime import timedelta

from services.notification.domain.messages import message_id
from services.notification.subscriptions import SUBSCRIPTIONS
from services.notification.use_cases.deliver import claim_due, deliver
from shared.bus import Verdict
from shared.contracts import team
from shared.contracts.topology import NOTIFICATION
from shared.inbox import Inbox
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from tests.services.notification.samples import (
    MEMBER,
    OPEN,
)
from tests.services.rows import QuietSources, on_the_bus, row_of
from tests.support.journal_keys import verifier

REMOVED = team.MemberRemoved(**MEMBER)
INVITED = team.InvitationCreated(**OPEN, delivery="email")
CLAIM = timedelta(seconds=DEFAULT_TIMEOUTS.mail_claim)


def inbox_of(sending):
    return Inbox(
        sending.ctx.client,
        sending.database,
        bus=sending.bus,
        queue=NOTIFICATION,
        sources=("identity", "team"),
        internal=QuietSources(),  # type: ignore[arg-type]
        verifier=verifier(),
        subscriptions=SUBSCRIPTIONS,
        ctx=sending.ctx,
        clock=sending.clock,
    )


async def tell(sending, *payloads, account_id="acc_1"):
    rows = [row_of(payload, account_id=account_id) for payload in payloads]
    await take(sending, *rows)
    return rows


async def tell_of_removals(sending, count):
    """Bo was removed from this number of accounts, each with a pace of its own."""
    return [
        row
        for number in range(count)
        for row in await tell(sending, REMOVED, account_id=f"acc_{number}")
    ]


async def take(sending, *rows):
    inbox = inbox_of(sending)
    for row in rows:
        assert await inbox.handle(on_the_bus(row)) is Verdict.ACK


def with_timeouts(sending, **timeouts):
    sending.ctx = replace(sending.ctx, timeouts=Timeouts(**timeouts))


def mail_id(row, kind, recipient):
    return f"<{message_id(row.id, kind, recipient)}@cloud.example>"


async def send_what_is_due(sending):
    for message, claim in await claim_due(sending.ctx, limit=100):
        await deliver(sending.ctx, message, claim)


async def all_are(sending, status, count):
    return list((await sending.statuses()).values()) == [status] * count


async def due_after(sending, moment):
    return (await sending.one())["due_at"] > moment


async def tried(sending, *, times):
    found = sending.database["messages"].find({})
    return all([each["attempts"] >= times and each["status"] == "queued" async for each in found])
