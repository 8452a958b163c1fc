"""Every message is delivered once, despite failures of each part."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo.errors import AutoReconnect

from services.notification.domain.attempts import GIVE_UP_AFTER
from services.notification.domain.messages import MessageKind, message_id
from services.notification.subscriptions import SUBSCRIPTIONS
from services.notification.use_cases.deliver import claim_due, deliver
from shared.bus import BusMessage, Verdict
from shared.contracts import identity, team
from shared.contracts.calls import InvitationLinkRequest
from shared.contracts.topology import NOTIFICATION
from shared.inbox import Inbox
from shared.problems import Unavailable
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts
from tests.services.notification.conftest import end_sending, make_sending
from tests.services.notification.samples import (
    INVITATION,
    INVITATION_ID,
    INVITER,
    MAILS,
    MEMBER,
    OPEN,
    USER,
    WITHOUT_MAIL,
)
from tests.services.rows import row_of
from tests.waiting import wait_for

REMOVED = team.MemberRemoved(**MEMBER)
INVITED = team.InvitationCreated(**OPEN, delivery="email")
CLAIM = timedelta(seconds=DEFAULT_TIMEOUTS.mail_claim)


def on_the_bus(row):
    return BusMessage(
        id=row.id,
        type=row.type,
        source=row.source,
        epoch=row.epoch,
        shard=row.shard,
        seq=row.seq,
        body=row.to_event(),
    )


def inbox_of(sending):
    return Inbox(
        sending.ctx.client,
        sending.database,
        bus=sending.bus,
        queue=NOTIFICATION,
        sources=("identity", "team"),
        internal=None,  # type: ignore[arg-type]
        subscriptions=SUBSCRIPTIONS,
        ctx=sending.ctx,
        clock=sending.clock,
    )


async def tell(sending, *payloads):
    rows = [row_of(payload, account_id="acc_1") for payload in payloads]
    inbox = inbox_of(sending)
    for row in rows:
        assert await inbox.handle(on_the_bus(row)) is Verdict.ACK
    return rows


def with_timeouts(sending, **timeouts):
    sending.ctx = replace(sending.ctx, timeouts=Timeouts(**timeouts))


def mail_id(row, kind, recipient):
    return f"<{message_id(row.id, kind, recipient)}@cloud.example>"


async def send_what_is_due(sending):
    for message, claim in await claim_due(sending.ctx, limit=100):
        await deliver(sending.ctx, message, claim)


async def test_each_fact_twice_and_out_of_order_sends_each_mail_once(sending, scripted):
    rows = [row_of(payload, account_id="acc_1") for payload, _ in MAILS]
    silent = [row_of(payload, account_id="acc_1") for payload in WITHOUT_MAIL]
    messages = [on_the_bus(row) for row in (rows + silent) * 2]
    random.shuffle(messages)
    inbox = inbox_of(sending)

    async with sending.running():
        assert {await inbox.handle(message) for message in messages} == {Verdict.ACK}
        expected = sorted(
            mail_id(row, mail.kind, mail.to) for row, (_, mail) in zip(rows, MAILS, strict=True)
        )
        await wait_for(lambda: len(scripted.taken) >= len(expected), within=60, what="every mail")
        await wait_for(
            lambda: _all_are(sending, "sent", len(expected)),
            within=60,
            what="every status to be saved",
        )
    assert sorted(scripted.message_ids) == expected
    assert sorted(await sending.facts()) == sorted(
        ("message.sent", each.strip("<>").partition("@")[0]) for each in expected
    )


async def _all_are(sending, status, count):
    return list((await sending.statuses()).values()) == [status] * count


async def test_a_fact_that_arrives_ten_times_at_once_is_one_message(sending):
    row = row_of(REMOVED, account_id="acc_1")
    inbox = inbox_of(sending)
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for _ in range(10)))
    assert list((await sending.statuses()).values()) == ["queued"]


async def test_a_queued_message_is_sent_before_the_next_poll(sending, scripted):
    with_timeouts(sending, mail_poll=3600.0)
    async with sending.running():
        await wait_for(lambda: not sending.ctx.queued.is_set(), what="the worker to look")
        await tell(sending, REMOVED)
        await wait_for(lambda: scripted.taken, what="the mail")


async def test_a_message_that_becomes_due_later_is_found_by_polling(sending, scripted):
    sending.owners.away = True
    await tell(sending, INVITED)
    async with sending.running():
        await wait_for(lambda: _tried(sending, times=1), what="the first attempt")
        sending.owners.away = False
        sending.clock.ahead += timedelta(seconds=2)
        await wait_for(lambda: scripted.taken, what="the mail")


async def test_a_claim_is_renewed_while_the_server_is_slow(sending, scripted):
    with_timeouts(sending, mail_claim=0.6)
    thinks_until = threading.Event()

    async def think(server):
        await asyncio.to_thread(thinks_until.wait, 30)

    scripted.after_data = think
    sending.clock.goes = True
    await tell(sending, REMOVED)
    claimed_until = (await sending.one())["due_at"] + timedelta(seconds=2)
    async with sending.running():
        await wait_for(
            lambda: _due_after(sending, claimed_until), what="the claim to be kept for long"
        )
        thinks_until.set()
        await wait_for(lambda: _all_are(sending, "sent", 1), what="the status")
    assert len(scripted.taken) == 1


async def _due_after(sending, moment):
    return (await sending.one())["due_at"] > moment


async def test_the_link_is_requested_when_the_mail_is_sent_and_not_stored(sending, scripted):
    await tell(sending, INVITED)
    assert sending.owners.asked == []
    await send_what_is_due(sending)
    assert sending.owners.asked == [
        InvitationLinkRequest(kind="invitation", id=INVITATION_ID, generation=1)
    ]
    assert len(scripted.taken) == 1
    kept = json.dumps(await sending.one(), default=str)
    assert "K7QM2XWP" not in kept
    assert "mac" not in kept


async def test_a_link_that_is_gone_withdraws_the_message_unsent(sending, scripted):
    sending.owners.gone.add((INVITATION_ID, 1))
    await tell(sending, INVITED)
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["withdrawn"]
    assert scripted.taken == []
    assert await sending.facts() == []


async def test_only_the_valid_one_of_two_link_generations_is_mailed(sending, scripted):
    sending.owners.gone.add((USER["user_id"], 1))
    resent = identity.UserVerificationResent(**USER, generation=2)
    signed_up = identity.UserSignedUp(**USER, verified=False, generation=1)
    second, _ = await tell(sending, resent, signed_up)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(second, MessageKind.VERIFY_EMAIL, "bo@example.com")]


async def test_an_unavailable_link_owner_delays_the_mail_by_a_second(sending, scripted):
    sending.owners.away = True
    await tell(sending, INVITED)
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "queued"
    sending.owners.away = False
    await send_what_is_due(sending)
    assert scripted.taken == []
    sending.clock.ahead += timedelta(seconds=2)
    await send_what_is_due(sending)
    assert len(scripted.taken) == 1


async def test_a_deferred_mail_is_tried_after_1_5_15_and_60_minutes(sending, scripted):
    scripted.data_replies.extend(["421 busy", "450 busy", "451 busy", "452 busy"])
    (row,) = await tell(sending, REMOVED)
    for minutes in (1, 5, 15, 60):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=minutes) - timedelta(seconds=5)
        await send_what_is_due(sending)
        assert scripted.taken == []
        sending.clock.ahead += timedelta(minutes=minutes * 0.2, seconds=5)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, MessageKind.REMOVED, "bo@example.com")]
    document = await sending.one()
    assert (document["status"], document["attempts"], document["deferrals"]) == ("sent", 5, 4)


@pytest.mark.parametrize("reply", ["550 no such user", "552 too large", "554 policy"])
async def test_a_rejected_mail_bounces_after_one_attempt_with_a_fact(sending, scripted, reply):
    scripted.data_replies.append(reply)
    (row,) = await tell(sending, INVITED)
    for _ in range(3):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(hours=2)
    document = await sending.one()
    assert (document["status"], document["attempts"], document["reply"]) == ("bounced", 1, reply)
    assert scripted.taken == []
    assert await sending.facts() == [
        ("message.bounced", message_id(row.id, MessageKind.INVITATION, "bo@example.com"))
    ]


async def test_a_list_of_addresses_bounces_without_a_connection(sending, scripted):
    await tell(sending, team.MemberRemoved(**MEMBER | {"email": "v@x.example,evil@x.example"}))
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "bounced"
    assert scripted.sessions == set()


async def test_a_message_that_is_always_deferred_bounces_after_three_days(sending, scripted):
    scripted.data_replies.extend(["451 later"] * 200)
    await tell(sending, REMOVED)
    while (await sending.one())["status"] == "queued":
        assert sending.clock.ahead < GIVE_UP_AFTER + timedelta(hours=2)
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=75)
    assert (await sending.one())["status"] == "bounced"


async def test_a_drop_after_the_data_repeats_the_mail_with_the_same_id(sending, scripted):
    scripted.data_replies.append("drop")
    (row,) = await tell(sending, REMOVED)
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "queued"
    sending.clock.ahead += timedelta(minutes=2)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, MessageKind.REMOVED, "bo@example.com")] * 2
    assert (await sending.one())["status"] == "sent"


async def test_a_mail_server_gets_every_mail_after_an_outage(mongo_url, database_name, smtp_server):
    sending = await make_sending(mongo_url, database_name, port=smtp_server.port)
    smtp_server.__exit__()
    rows = await tell(sending, *[REMOVED] * 5)
    async with sending.running():
        await wait_for(
            lambda: _tried(sending, times=1),
            within=60,
            what="every message to be tried and put back",
        )
        smtp_server.__enter__()
        sending.clock.ahead += timedelta(seconds=8)
        sending.ctx.queued.set()
        await wait_for(lambda: len(smtp_server.received) == 5, within=60, what="every mail")
        await wait_for(lambda: _all_are(sending, "sent", 5), within=60, what="every status")
    assert (
        len({mail.content.partition(b"Message-ID: ")[2][:50] for mail in smtp_server.received}) == 5
    )
    assert len(rows) == 5
    await end_sending(sending)


async def _tried(sending, *, times):
    found = sending.database["messages"].find({})
    return all([each["attempts"] >= times and each["status"] == "queued" async for each in found])


async def test_two_senders_send_every_mail_once(mongo_url, database_name, sending, scripted):
    other = await make_sending(mongo_url, database_name, port=scripted.port)
    rows = await tell(sending, *[REMOVED] * 20)
    async with sending.running(), other.running():
        await wait_for(lambda: _all_are(sending, "sent", 20), within=60, what="every status")
    assert sorted(scripted.message_ids) == sorted(
        mail_id(row, MessageKind.REMOVED, "bo@example.com") for row in rows
    )
    assert len(await sending.facts()) == 20
    await end_sending(other)


async def test_a_renewed_claim_excludes_other_senders(sending):
    await tell(sending, REMOVED)
    [(message, claim)] = await claim_due(sending.ctx, limit=10)
    sending.clock.ahead += CLAIM - timedelta(seconds=1)
    assert await claim_due(sending.ctx, limit=10) == []
    assert await sending.ctx.messages.renew_claim(
        message.id, claim=claim, until=sending.clock.now() + CLAIM
    )
    sending.clock.ahead += CLAIM - timedelta(seconds=1)
    assert await claim_due(sending.ctx, limit=10) == []


async def test_a_sender_that_lost_its_claim_saves_nothing(sending, scripted):
    await tell(sending, REMOVED)
    [(message, first)] = await claim_due(sending.ctx, limit=10)
    sending.clock.ahead += CLAIM + timedelta(seconds=1)
    [(_, second)] = await claim_due(sending.ctx, limit=10)
    await deliver(sending.ctx, message, first)
    assert (await sending.one())["status"] == "sending"
    assert await sending.facts() == []
    await deliver(sending.ctx, message, second)
    assert (await sending.one())["status"] == "sent"
    assert len(await sending.facts()) == 1


class JournalThatFails:
    """A journal whose first writes fail, with these problems."""

    def __init__(self, journal, *problems):
        self.journal = journal
        self.changes = journal.changes
        self.problems = list(problems)

    async def write(self, *args, **kwargs):
        if self.problems:
            raise self.problems.pop(0)
        return await self.journal.write(*args, **kwargs)


def failing(sending, *problems, pause):
    journal = JournalThatFails(sending.ctx.journal, *problems)
    sending.ctx = replace(sending.ctx, journal=journal, pause=pause)
    return sending.ctx


@pytest.mark.parametrize(("reply", "status"), [("250 taken", "sent"), ("550 never", "bounced")])
async def test_a_result_is_saved_later_while_the_claim_is_renewed(sending, scripted, reply, status):
    with_timeouts(sending, mail_claim=0.6)
    scripted.data_replies.append(reply)
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        before = (await sending.one())["due_at"]
        await wait_for(lambda: _due_after(sending, before), what="the claim to be kept")

    failing(sending, *[Unavailable(), AutoReconnect("away")] * 2, pause=pause)
    sending.clock.goes = True
    await tell(sending, REMOVED)
    for _ in range(6):
        await send_what_is_due(sending)
        sending.clock.ahead += CLAIM + timedelta(seconds=1)
    document = await sending.one()
    assert (document["status"], document["attempts"]) == (status, 1)
    assert [len(scripted.sessions), len(pauses), len(await sending.facts())] == [1, 4, 1]
    assert len(scripted.taken) == (status == "sent")


async def test_a_mail_in_hand_is_not_claimed_again_after_its_claim_ran_out(sending, scripted):
    """The database was away for longer than the lease: nothing could keep the claim."""

    async def pause(seconds):
        sending.clock.ahead += CLAIM + timedelta(seconds=1)
        for _ in range(2):
            sending.ctx.queued.set()
            await wait_for(lambda: not sending.ctx.queued.is_set(), what="the worker to look")

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    async with sending.running():
        await wait_for(lambda: _all_are(sending, "sent", 1), what="the status")
    assert len(scripted.taken) == 1


async def test_a_claim_lost_while_saving_failed_is_not_overwritten(sending, scripted):
    others = []

    async def pause(seconds):
        sending.clock.ahead += CLAIM + timedelta(seconds=1)
        others.extend(await claim_due(sending.ctx, limit=10))

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    await send_what_is_due(sending)
    [(_, claim)] = others
    document = await sending.one()
    assert (document["status"], document["claim"]) == ("sending", claim)
    assert await sending.facts() == []


async def test_stopping_cancels_a_save_that_does_not_succeed(sending, scripted):
    with_timeouts(sending, mail_drain=0.0)
    paused = asyncio.Event()

    async def pause(seconds):
        paused.set()
        await asyncio.Event().wait()

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    async with sending.running():
        await wait_for(paused.is_set, what="the pause after a save that failed")
    assert (await sending.one())["status"] == "sending"


async def test_stopping_finishes_the_mail_in_hand(sending, scripted):
    with_timeouts(sending, mail_drain=60.0)
    reached, go_on = threading.Event(), threading.Event()

    async def hold(server):
        reached.set()
        await asyncio.to_thread(go_on.wait, 60)

    scripted.after_data = hold
    await tell(sending, REMOVED)
    async with sending.running() as task:
        assert await asyncio.to_thread(reached.wait, 60)
        task.cancel()
        go_on.set()
    assert (await sending.one())["status"] == "sent"
    assert len(scripted.taken) == 1


class FaultyTransport:
    """A transport that raises an unexpected error for one recipient."""

    def __init__(self, transport, recipient):
        self.transport = transport
        self.recipient = recipient

    async def send(self, mail):
        if mail.recipient == self.recipient:
            raise LookupError("a bug")
        return await self.transport.send(mail)


async def test_a_message_with_an_internal_error_does_not_delay_others(sending, scripted, caplog):
    faulty = FaultyTransport(sending.transport, "bad@example.com")
    sending.ctx = replace(sending.ctx, transport=faulty)
    await tell(sending, team.MemberRemoved(**MEMBER | {"email": "bad@example.com"}), REMOVED)
    async with sending.running():
        await wait_for(lambda: len(scripted.taken) == 1, what="the other mail")
        await wait_for(lambda: "could not be made or sent" in caplog.text, what="a line in the log")


async def test_a_message_with_a_lasting_internal_error_bounces(sending, scripted):
    faulty = FaultyTransport(sending.transport, "bo@example.com")
    sending.ctx = replace(sending.ctx, transport=faulty)
    await tell(sending, REMOVED)
    while (document := await sending.one())["status"] == "queued":
        assert sending.clock.ahead < GIVE_UP_AFTER + timedelta(hours=2)
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=75)
    assert (document["status"], document["reply"]) == ("bounced", "internal error: LookupError")
    assert scripted.taken == []


def start_sender(mongo_url, database_name, port):
    script = Path(__file__).parent / "conftest.py"
    arguments = {"mongo_url": mongo_url, "database_name": database_name, "port": port}
    return subprocess.Popen(
        [sys.executable, str(script), json.dumps(arguments)],
        cwd=script.parents[3],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([".", "sdk"])},
    )


async def test_a_sender_killed_before_saving_repeats_the_mail_with_its_id(
    mongo_url, database_name, sending, scripted
):
    (row,) = await tell(sending, REMOVED)
    process = start_sender(mongo_url, database_name, scripted.port)

    async def kill_the_sender(server):
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)

    scripted.after_data = kill_the_sender
    try:
        await wait_for(lambda: process.poll() is not None, within=120, what="the kill")
    finally:
        process.kill()
        process.wait()
    assert process.returncode == -signal.SIGKILL
    scripted.after_data = None
    assert (await sending.one())["status"] == "sending"

    sending.clock.goes = True  # the killed sender claimed by the machine's time
    sending.clock.ahead += CLAIM + timedelta(seconds=1)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, MessageKind.REMOVED, "bo@example.com")] * 2
    assert (await sending.one())["status"] == "sent"
    assert len(await sending.facts()) == 1


async def test_the_inviter_is_told_of_acceptance_and_refusal(sending, scripted):
    accepted = team.InvitationAccepted(**INVITATION, **INVITER, user_id="usr_bo", name="Bo Li")
    await tell(sending, accepted, team.InvitationDeclined(**INVITATION, **INVITER))
    await send_what_is_due(sending)
    assert [recipients for recipients, _ in scripted.taken] == [("ana@example.com",)] * 2
