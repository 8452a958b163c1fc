"""Is everybody told exactly once, whatever fails in between?"""

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

from services.notification import sending as worker
from services.notification import store, use_cases
from services.notification.domain import KEEPS_TRYING, Kind, message_id
from services.notification.store import LEASE
from services.notification.subscriptions import SUBSCRIPTIONS
from services.notification.use_cases import claim_due, deliver
from shared.bus import BusMessage, Verdict
from shared.contracts import identity, team
from shared.contracts.topology import NOTIFICATION
from shared.inbox import Inbox
from shared.problems import Unavailable
from tests.services.notification.conftest import end_sending, make_sending
from tests.services.notification.test_messages import (
    INVITATION,
    INVITATION_ID,
    INVITER,
    MEMBER,
    OPEN,
    SILENT,
    TELLING,
    USER,
)
from tests.services.rows import row_of
from tests.waiting import wait_for

REMOVED = team.MemberRemoved(**MEMBER)
INVITED = team.InvitationCreated(**OPEN, delivery="email")


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


def mail_id(row, kind, recipient):
    return f"<{message_id(row.id, kind, recipient)}@cloud.example>"


async def send_what_is_due(sending):
    for message, claim in await claim_due(sending.ctx, limit=100):
        await deliver(sending.ctx, message, claim)


async def test_every_subscription_twice_and_out_of_order_sends_each_mail_once(sending, scripted):
    told = [(payload, kind, to) for payload, kind, to, _ in TELLING]
    rows = [row_of(payload, account_id="acc_1") for payload, _, _ in told]
    silent = [row_of(payload, account_id="acc_1") for payload in SILENT]
    messages = [on_the_bus(row) for row in (rows + silent) * 2]
    random.shuffle(messages)
    inbox = inbox_of(sending)

    async with sending.running():
        assert {await inbox.handle(message) for message in messages} == {Verdict.ACK}
        expected = sorted(
            mail_id(row, kind, to) for row, (_, kind, to) in zip(rows, told, strict=True)
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


async def test_a_fact_that_comes_ten_times_at_once_is_one_message(sending):
    row = row_of(REMOVED, account_id="acc_1")
    inbox = inbox_of(sending)
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for _ in range(10)))
    assert list((await sending.statuses()).values()) == ["queued"]


async def test_a_message_is_taken_up_at_once_not_at_the_next_poll(sending, scripted, monkeypatch):
    monkeypatch.setattr(worker, "POLL_SECONDS", 3600)
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


async def test_a_mail_that_the_server_thinks_about_for_long_stays_in_one_hand(
    sending, scripted, monkeypatch
):
    for module in (store, use_cases):
        monkeypatch.setattr(module, "LEASE", timedelta(milliseconds=600))
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


async def test_the_link_is_asked_for_when_the_mail_goes_out_and_kept_nowhere(sending, scripted):
    await tell(sending, INVITED)
    assert sending.owners.asked == []
    await send_what_is_due(sending)
    assert [(name.owner, name.id, name.generation) for name in sending.owners.asked] == [
        ("team", INVITATION_ID, 1)
    ]
    assert len(scripted.taken) == 1
    kept = json.dumps(await sending.one(), default=str)
    assert "K7QM2XWP" not in kept
    assert "mac" not in kept


async def test_a_link_that_is_gone_withdraws_the_message_and_nothing_is_sent(sending, scripted):
    sending.owners.gone.add((INVITATION_ID, 1))
    await tell(sending, INVITED)
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["withdrawn"]
    assert scripted.taken == []
    assert await sending.facts() == []


async def test_of_two_generations_only_the_living_one_is_mailed_in_any_order(sending, scripted):
    sending.owners.gone.add(("usr_bo", 1))
    resent = identity.UserVerificationResent(**USER, generation=2)
    signed_up = identity.UserSignedUp(**USER, verified=False, generation=1)
    second, _ = await tell(sending, resent, signed_up)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(second, Kind.VERIFY_EMAIL, "bo@example.com")]


async def test_a_link_owner_that_is_away_delays_the_mail_by_a_second(sending, scripted):
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


async def test_a_mail_put_off_is_tried_after_1_5_15_and_60_minutes_under_one_id(sending, scripted):
    scripted.data_replies.extend(["421 busy", "450 busy", "451 busy", "452 busy"])
    (row,) = await tell(sending, REMOVED)
    for minutes in (1, 5, 15, 60):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=minutes) - timedelta(seconds=5)
        await send_what_is_due(sending)
        assert scripted.taken == []
        sending.clock.ahead += timedelta(minutes=minutes * 0.2, seconds=5)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, Kind.REMOVED, "bo@example.com")]
    document = await sending.one()
    assert (document["status"], document["attempts"], document["deferrals"]) == ("sent", 5, 4)


@pytest.mark.parametrize("reply", ["550 no such user", "552 too large", "554 policy"])
async def test_a_refused_mail_bounces_visibly_after_one_attempt(sending, scripted, reply):
    scripted.data_replies.append(reply)
    (row,) = await tell(sending, INVITED)
    for _ in range(3):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(hours=2)
    document = await sending.one()
    assert (document["status"], document["attempts"], document["reply"]) == ("bounced", 1, reply)
    assert scripted.taken == []
    assert await sending.facts() == [
        ("message.bounced", message_id(row.id, Kind.INVITATION, "bo@example.com"))
    ]


async def test_an_address_that_is_a_list_bounces_without_a_word_to_the_mail_server(
    sending, scripted
):
    await tell(sending, team.MemberRemoved(**MEMBER | {"email": "v@x.example,evil@x.example"}))
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "bounced"
    assert scripted.sessions == set()


async def test_a_message_that_never_gets_through_bounces_after_three_days(sending, scripted):
    scripted.data_replies.extend(["451 later"] * 200)
    await tell(sending, REMOVED)
    while (await sending.one())["status"] == "queued":
        assert sending.clock.ahead < KEEPS_TRYING + timedelta(hours=2)
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=75)
    assert (await sending.one())["status"] == "bounced"


async def test_a_drop_after_the_data_costs_one_double_under_the_same_id(sending, scripted):
    scripted.data_replies.append("drop")
    (row,) = await tell(sending, REMOVED)
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "queued"
    sending.clock.ahead += timedelta(minutes=2)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, Kind.REMOVED, "bo@example.com")] * 2
    assert (await sending.one())["status"] == "sent"


async def test_a_mail_server_that_was_down_gets_every_mail_when_it_is_back(
    mongo_url, database_name, smtp_server
):
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
        mail_id(row, Kind.REMOVED, "bo@example.com") for row in rows
    )
    assert len(await sending.facts()) == 20
    await end_sending(other)


async def test_a_claim_that_is_kept_fresh_is_nobody_elses(sending):
    await tell(sending, REMOVED)
    [(message, claim)] = await claim_due(sending.ctx, limit=10)
    sending.clock.ahead += LEASE - timedelta(seconds=1)
    assert await claim_due(sending.ctx, limit=10) == []
    assert await sending.ctx.messages.keep(message.id, claim=claim, now=sending.clock.now())
    sending.clock.ahead += LEASE - timedelta(seconds=1)
    assert await claim_due(sending.ctx, limit=10) == []


async def test_a_sender_that_lost_its_claim_saves_nothing(sending, scripted):
    await tell(sending, REMOVED)
    [(message, first)] = await claim_due(sending.ctx, limit=10)
    sending.clock.ahead += LEASE + timedelta(seconds=1)
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
async def test_what_cannot_be_saved_is_saved_later_while_the_claim_is_kept(
    sending, scripted, monkeypatch, reply, status
):
    for module in (store, use_cases):
        monkeypatch.setattr(module, "LEASE", timedelta(milliseconds=600))
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
        sending.clock.ahead += LEASE + timedelta(seconds=1)
    document = await sending.one()
    assert (document["status"], document["attempts"]) == (status, 1)
    assert [len(scripted.sessions), len(pauses), len(await sending.facts())] == [1, 4, 1]
    assert len(scripted.taken) == (status == "sent")


async def test_a_mail_in_hand_is_not_taken_up_again_though_its_claim_ran_out(sending, scripted):
    """The database was away for longer than the lease: nothing could keep the claim."""

    async def pause(seconds):
        sending.clock.ahead += LEASE + timedelta(seconds=1)
        for _ in range(2):
            sending.ctx.queued.set()
            await wait_for(lambda: not sending.ctx.queued.is_set(), what="the worker to look")

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    async with sending.running():
        await wait_for(lambda: _all_are(sending, "sent", 1), what="the status")
    assert len(scripted.taken) == 1


async def test_a_claim_that_was_lost_while_saving_failed_is_not_saved_over(sending, scripted):
    others = []

    async def pause(seconds):
        sending.clock.ahead += LEASE + timedelta(seconds=1)
        others.extend(await claim_due(sending.ctx, limit=10))

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    await send_what_is_due(sending)
    [(_, claim)] = others
    document = await sending.one()
    assert (document["status"], document["claim"]) == ("sending", claim)
    assert await sending.facts() == []


async def test_stopping_ends_a_save_that_never_succeeds(sending, scripted, monkeypatch):
    monkeypatch.setattr(worker, "DRAIN_SECONDS", 0.0)
    paused = asyncio.Event()

    async def pause(seconds):
        paused.set()
        await asyncio.Event().wait()

    failing(sending, Unavailable(), pause=pause)
    await tell(sending, REMOVED)
    async with sending.running():
        await wait_for(paused.is_set, what="the pause after a save that failed")
    assert (await sending.one())["status"] == "sending"


async def test_stopping_finishes_the_mail_in_hand(sending, scripted, monkeypatch):
    monkeypatch.setattr(worker, "DRAIN_SECONDS", 60.0)
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


class PostThatFails:
    """A mailer with a fault of its own, for one recipient."""

    def __init__(self, mailer, recipient):
        self.mailer = mailer
        self.recipient = recipient

    async def send(self, mail):
        if mail.recipient == self.recipient:
            raise LookupError("a bug")
        return await self.mailer.send(mail)


async def test_a_message_that_fails_by_a_fault_of_ours_holds_up_no_other(sending, scripted, caplog):
    faulty = PostThatFails(sending.mailer, "bad@example.com")
    sending.ctx = replace(sending.ctx, mailer=faulty)
    await tell(sending, team.MemberRemoved(**MEMBER | {"email": "bad@example.com"}), REMOVED)
    async with sending.running():
        await wait_for(lambda: len(scripted.taken) == 1, what="the other mail")
        await wait_for(lambda: "could not be made or sent" in caplog.text, what="a line in the log")


async def test_a_message_that_always_meets_a_fault_of_ours_bounces_after_three_days(
    sending, scripted
):
    faulty = PostThatFails(sending.mailer, "bo@example.com")
    sending.ctx = replace(sending.ctx, mailer=faulty)
    await tell(sending, REMOVED)
    while (document := await sending.one())["status"] == "queued":
        assert sending.clock.ahead < KEEPS_TRYING + timedelta(hours=2)
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(minutes=75)
    assert (document["status"], document["reply"]) == ("bounced", "a fault of ours: LookupError")
    assert scripted.taken == []


def start_sender(mongo_url, database_name, port):
    script = Path(__file__).parent / "conftest.py"
    arguments = {"mongo_url": mongo_url, "database_name": database_name, "port": port}
    return subprocess.Popen(
        [sys.executable, str(script), json.dumps(arguments)],
        cwd=script.parents[3],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([".", "sdk"])},
    )


async def test_killed_between_data_and_status_the_mail_comes_once_more_under_the_same_id(
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
    sending.clock.ahead += LEASE + timedelta(seconds=1)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(row, Kind.REMOVED, "bo@example.com")] * 2
    assert (await sending.one())["status"] == "sent"
    assert len(await sending.facts()) == 1


async def test_the_inviter_is_told_what_became_of_the_invitation(sending, scripted):
    accepted = team.InvitationAccepted(**INVITATION, **INVITER, user_id="usr_bo", name="Bo Li")
    await tell(sending, accepted, team.InvitationDeclined(**INVITATION, **INVITER))
    await send_what_is_due(sending)
    assert [recipients for recipients, _ in scripted.taken] == [("ana@example.com",)] * 2
