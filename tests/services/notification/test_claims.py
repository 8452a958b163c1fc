"""Claims: one sender per message, also while the database is away."""

import asyncio
import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notification.use_cases.deliver import claim_due, deliver
from shared.mongo import DatabaseAway
from shared.problems import Unavailable
from tests.services.notification.steps import (
    CLAIM,
    REMOVED,
    all_are,
    due_after,
    send_what_is_due,
    tell,
    with_timeouts,
)
from tests.waiting import wait_for


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
            lambda: due_after(sending, claimed_until), what="the claim to be kept for long"
        )
        thinks_until.set()
        await wait_for(lambda: all_are(sending, "sent", 1), what="the status")
    assert len(scripted.taken) == 1


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
async def test_a_result_is_saved_later_while_the_claim_is_renewed(
    sending, scripted, caplog, reply, status
):
    caplog.set_level(logging.INFO)
    with_timeouts(sending, mail_claim=0.6)
    scripted.data_replies.append(reply)
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        before = (await sending.one())["due_at"]
        await wait_for(lambda: due_after(sending, before), what="the claim to be kept")

    failing(sending, *[Unavailable(), DatabaseAway("away")] * 2, pause=pause)
    sending.clock.goes = True
    await tell(sending, REMOVED)
    for _ in range(6):
        await send_what_is_due(sending)
        sending.clock.ahead += CLAIM + timedelta(seconds=1)
    document = await sending.one()
    assert (document["status"], document["attempts"]) == (status, 1)
    assert [len(scripted.sessions), len(pauses), len(await sending.facts())] == [1, 4, 1]
    assert len(scripted.taken) == (status == "sent")
    told = [line for line in caplog.messages if line.startswith("The database or a service")]
    assert told == ["The database or a service is away.", "The database or a service is back."]


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
        await wait_for(lambda: all_are(sending, "sent", 1), what="the status")
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
