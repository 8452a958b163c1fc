"""The sender: when it takes up messages, and how it stops, restarts and dies."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

from services.notification.domain.messages import MessageKind
from tests.services.notification.conftest import end_sending, make_sending
from tests.services.notification.steps import (
    CLAIM,
    INVITED,
    REMOVED,
    all_are,
    mail_id,
    send_what_is_due,
    tell,
    tell_of_removals,
    tried,
    with_timeouts,
)
from tests.waiting import wait_for


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
        await wait_for(lambda: tried(sending, times=1), what="the first attempt")
        sending.owners.away = False
        sending.clock.ahead += timedelta(seconds=2)
        await wait_for(lambda: scripted.taken, what="the mail")


async def test_a_mail_server_gets_every_mail_after_an_outage(mongo_url, database_name, smtp_server):
    sending = await make_sending(mongo_url, database_name, port=smtp_server.port)
    smtp_server.__exit__()
    rows = await tell_of_removals(sending, 5)
    async with sending.running():
        await wait_for(
            lambda: tried(sending, times=1),
            what="every message to be tried and put back",
        )
        smtp_server.__enter__()
        sending.clock.ahead += timedelta(seconds=8)
        sending.ctx.queued.set()
        await wait_for(lambda: len(smtp_server.received) == 5, what="every mail")
        await wait_for(lambda: all_are(sending, "sent", 5), what="every status")
    assert (
        len({mail.content.partition(b"Message-ID: ")[2][:50] for mail in smtp_server.received}) == 5
    )
    assert len(rows) == 5
    await end_sending(sending)


async def test_two_senders_send_every_mail_once(mongo_url, database_name, sending, scripted):
    other = await make_sending(mongo_url, database_name, port=scripted.port)
    rows = await tell_of_removals(sending, 20)
    async with sending.running(), other.running():
        await wait_for(lambda: all_are(sending, "sent", 20), what="every status")
    assert sorted(scripted.message_ids) == sorted(
        mail_id(row, MessageKind.REMOVED, "bo@example.com") for row in rows
    )
    assert len(await sending.facts()) == 20
    await end_sending(other)


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
