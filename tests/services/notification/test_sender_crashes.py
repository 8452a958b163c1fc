"""A sender that is killed at any step sends each mail and webhook, and repeats one at most."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest

from services.notification.domain.webhooks import Webhook
from services.notification.use_cases.webhook_sender import claim_due_deliveries, send
from shared.contracts.team import ProjectCreated
from shared.http.outbound import Outbound
from shared.ids import AccountId, UserId, WebhookId
from shared.mongo import transact
from shared.receivers.posts import ReceiverPosts
from shared.receivers.slots import Slots
from shared.timeouts import DEFAULT_TIMEOUTS
from tests.faults.crashes import KILLED, CrashingProgram, kill_table, when_back
from tests.faults.crashing_sender import SendPoint
from tests.lengths import SOAK, length
from tests.services.notification.hooks import Receiver, receiving
from tests.services.notification.steps import CLAIM, REMOVED, send_what_is_due, tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from services.notification.use_cases.context import Ctx
    from tests.services.notification.conftest import ScriptedServer, Sending

WITHOUT_MAIL = ProjectCreated(project_id="prj_1", name="Alpha")
ROUNDS = length("SENDER_CRASHES", short=1, soak=20)
SENT_BEFORE = {
    SendPoint.MAIL_TAKEN,
    SendPoint.MAIL_INSIDE_NOTE,
    SendPoint.WEBHOOK_ANSWERED,
}
"""The points at which the other side has it already, and no one here knows: it is sent again."""
POINTS = [point for point in SendPoint if SOAK or point is not SendPoint.MAIL_INSIDE_NOTE]
"""The database keeps what a dead process was changing for a minute: only a soak waits so long."""
AHEAD = CLAIM + timedelta(seconds=DEFAULT_TIMEOUTS.webhook_claim + 1)
"""After this time each claim has run out."""
LOOPBACK = (ip_network("127.0.0.0/8"),)


class SenderRuns:
    """Runs of the program, each after something became due."""

    def __init__(self, sending: Sending, mongo_url: str, smtp_port: int, folder: Path) -> None:
        self.sending = sending
        self.runs = 0
        self._where = (mongo_url, sending.database.name, str(smtp_port))
        self._folder = folder

    async def die_at(self, point: SendPoint) -> None:
        """Run until the program dies; then its claim has run out."""
        self.runs += 1
        ahead = self.sending.clock.ahead.total_seconds() + 1
        arguments = (*self._where, point.value, str(ahead))
        program = CrashingProgram(self._folder, "crashing_sender", *arguments)
        assert await program.run_to_its_end() == KILLED
        self.sending.clock.goes = True
        self.sending.clock.ahead += AHEAD


async def make_webhook(sending: Sending, receiver: Receiver) -> None:
    """A webhook for new projects of the account of webhooks."""
    now = sending.clock.now()
    webhook = Webhook(
        id=WebhookId("whk_1"),
        account_id=ACCOUNT_OF_WEBHOOKS,
        url=receiver.url,
        event_types=("project.created",),
        description="",
        created_by=UserId("usr_1"),
        created_at=now,
        salt="c2FsdA==",
        secret_at=now,
    )

    async def insert(session: Any) -> None:
        await sending.ctx.webhooks.insert(webhook, session)

    await transact(sending.ctx.client, insert)


ACCOUNT_OF_WEBHOOKS = AccountId("acc_webhooks")


async def send_due_webhooks(ctx: Ctx) -> None:
    slots = Slots(total=8)
    for delivery, claim in await claim_due_deliveries(ctx, slots):
        await send(ctx, delivery, claim, slots)


@pytest.mark.timeout(3600)
async def test_a_sender_that_dies_at_any_step_loses_nothing(
    sending: Sending,
    scripted: ScriptedServer,
    mongo_url: str,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    runs = SenderRuns(sending, mongo_url, scripted.port, tmp_path)
    died: Counter[str] = Counter()
    doubles: Counter[str] = Counter()
    async with receiving() as receiver:
        await make_webhook(sending, receiver)
        outbound = Outbound(networks=LOOPBACK)
        ctx = replace(sending.ctx, posts=ReceiverPosts(outbound, sending.clock, user_agent="tests"))
        for point in POINTS * ROUNDS:
            mails, requests = len(scripted.taken), len(receiver.got)
            account = f"acc_{runs.runs}" if point.of_mails else ACCOUNT_OF_WEBHOOKS
            happened = REMOVED if point.of_mails else WITHOUT_MAIL
            (row,) = await tell(sending, happened, account_id=account)
            await runs.die_at(point)

            await when_back(send_what_is_due, sending)
            await when_back(send_due_webhooks, ctx)

            taken, got = len(scripted.taken) - mails, len(receiver.got) - requests
            once = 2 if point in SENT_BEFORE else 1
            assert (taken, got) == ((once, 0) if point.of_mails else (0, once)), point
            died[point] += 1
            doubles[point] += once - 1
            if not point.of_mails:
                assert {each.id for each in receiver.got[requests:]} == {row.id}
        await outbound.close()
    facts = Counter(await sending.facts())
    assert set(facts.values()) == {1}, "each mail is noted once"
    sent = [status for status in (await sending.statuses()).values() if status == "sent"]
    assert len(facts) == len(set(scripted.message_ids)) == len(sent)
    report(kill_table("notification killed", died, doubles=doubles))
