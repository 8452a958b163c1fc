"""Every fact becomes its mail once, and every result of an attempt is handled."""

import asyncio
import json
import logging
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notification.domain.attempts import GIVE_UP_AFTER
from services.notification.domain.messages import MessageKind, message_id
from services.notification.use_cases.backlog import show_backlog
from services.notification.use_cases.deliver import claim_due
from shared.bus import Verdict
from shared.contracts import identity, identity_erasure, team
from shared.contracts.calls.team import InvitationLinkRequest
from shared.mongo import majority
from tests.services.notification.samples import (
    INVITATION,
    INVITATION_ID,
    INVITER,
    MAILS,
    MEMBER,
    SIGN_UP,
    SIGN_UP_ID,
    USER,
    WITHOUT_MAIL,
)
from tests.services.notification.steps import (
    INVITED,
    REMOVED,
    all_are,
    inbox_of,
    mail_id,
    send_what_is_due,
    take,
    tell,
    tell_of_removals,
)
from tests.services.rows import on_the_bus, row_of
from tests.support.metrics import value_of
from tests.waiting import wait_for


def ended(*, status):
    return value_of("rolecall_mails_ended_total", service="notification", status=status)


def backlog():
    """The mails that wait, by whether they were tried before, and the age of the longest due."""
    shown = {
        tried: value_of("rolecall_mails_waiting", service="notification", tried=tried)
        for tried in ("no", "yes")
    }
    return shown, value_of("rolecall_mails_overdue_seconds", service="notification")


async def test_each_fact_twice_and_out_of_order_sends_each_mail_once(sending, scripted):
    rows = [row_of(payload, account_id=f"acc_{n}") for n, (payload, _) in enumerate(MAILS)]
    silent = [row_of(payload, account_id="acc_1") for payload in WITHOUT_MAIL]
    messages = [on_the_bus(row) for row in (rows + silent) * 2]
    random.shuffle(messages)
    inbox = inbox_of(sending)

    async with sending.running():
        assert {await inbox.handle(message) for message in messages} == {Verdict.ACK}
        sent = [
            (recipient, mail_id(row, mail.kind, recipient))
            for row, (_, mail) in zip(rows, MAILS, strict=True)
            for recipient in (mail.to, *mail.also)
        ]
        expected = sorted(mail for _, mail in sent)
        await wait_for(lambda: len(scripted.taken) >= len(expected), what="every mail")
        await wait_for(
            lambda: all_are(sending, "sent", len(expected)),
            what="every status to be saved",
        )
    assert sorted(scripted.message_ids) == expected
    assert sorted(await sending.facts()) == sorted(
        ("message.sent", mail.strip("<>").partition("@")[0]) for to, mail in sent if to
    )


async def test_a_fact_that_arrives_ten_times_at_once_is_one_message(sending):
    row = row_of(REMOVED, account_id="acc_1")
    inbox = inbox_of(sending)
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for _ in range(10)))
    assert list((await sending.statuses()).values()) == ["queued"]


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


ERASED = identity_erasure.UserErased(user_id=USER["user_id"], account_id="acc_1")


async def test_the_last_mail_to_an_erased_user_leaves_no_name(sending, scripted, caplog):
    caplog.set_level(logging.INFO)
    scripted.recipient_replies = ["451 <bo@example.com> is busy", "250 <bo@example.com> is fine"]
    row, again = row_of(ERASED, account_id="acc_1"), row_of(ERASED, account_id="acc_1")
    await take(sending, row, row)
    await send_what_is_due(sending)
    assert (await sending.one())["status"] == "queued"
    sending.clock.ahead += timedelta(minutes=2)
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["sent"]
    assert [recipients for recipients, _ in scripted.taken] == [("bo@example.com",)]
    assert sending.owners.forgotten == [USER["user_id"]]
    stored = [sending.database[name].find({}) for name in ("messages", "journal")]
    kept = [one for found in stored async for one in found]
    own = [one.getMessage() for one in caplog.records if one.name.startswith("services")]
    assert any("A mail waits until" in line for line in own)
    for text in (json.dumps(kept, default=str), *own):
        assert "bo@example.com" not in text
        assert "Bo Li" not in text
    await take(sending, again)
    await send_what_is_due(sending)
    assert len(scripted.taken) == 1
    assert await sending.facts() == []


async def test_an_owner_that_cannot_be_told_keeps_no_last_mail_open(sending, scripted):
    await tell(sending, ERASED)
    sending.owners.away_when_done = True
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["sent"]
    assert sending.owners.forgotten == []


async def test_a_link_that_is_gone_withdraws_the_message_unsent(sending, scripted):
    sending.owners.gone.add((INVITATION_ID, 1))
    await tell(sending, INVITED)
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["withdrawn"]
    assert scripted.taken == []
    assert await sending.facts() == []


@pytest.mark.rule("T5")
async def test_a_mail_about_a_new_factor_goes_out_without_a_link_that_is_gone(sending, scripted):
    """A thief who removes the factor and adds another one keeps no mail back."""
    sending.owners.gone.add((USER["user_id"], 4))
    await tell(sending, identity.SecondFactorAdded(**USER, kind="totp", beginning=4))
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["sent"]
    [mail] = scripted.mails
    assert "was added to your sign-in" in mail.get_body().get_content()


async def test_only_the_valid_one_of_two_link_generations_is_mailed(sending, scripted):
    sending.owners.gone.add((SIGN_UP_ID, 1))
    repeated = identity.SignUpRequested(**SIGN_UP, generation=2)
    first = identity.SignUpRequested(**SIGN_UP, generation=1)
    second, _ = await tell(sending, repeated, first)
    await send_what_is_due(sending)
    assert scripted.message_ids == [mail_id(second, MessageKind.VERIFY_EMAIL, "bo@example.com")]


async def test_a_link_that_an_earlier_version_queued_is_still_asked_for(sending, scripted):
    await tell(sending, INVITED)
    old = {"owner": "identity", "kind": "verification", "id": USER["user_id"], "generation": 1}
    messages = majority(sending.database, "messages")
    await messages.update_one({}, {"$set": {"link": old}})
    sending.owners.gone.add((USER["user_id"], 1))
    await send_what_is_due(sending)
    assert list((await sending.statuses()).values()) == ["withdrawn"]
    assert scripted.taken == []


async def test_an_unavailable_link_owner_delays_the_mail_by_a_second(sending, scripted, caplog):
    caplog.set_level(logging.INFO)
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
    told = [line for line in caplog.messages if line.startswith("The mail server or the owner")]
    assert [line.partition(" of a link ")[2] for line in told] == ["is away.", "is back."]


@pytest.mark.rule("T14")
async def test_a_mail_waits_an_hour_for_its_mailbox_and_tells_nothing(sending, scripted, caplog):
    caplog.set_level(logging.INFO)
    sending.owners.mailbox_full = True
    await tell(sending, INVITED)
    await send_what_is_due(sending)
    waiting = await sending.one()
    assert (waiting["status"], waiting["reply"]) == ("queued", "mailbox budget")
    assert {line.levelname for line in caplog.records if line.name.startswith("s")} == {"INFO"}
    assert "mailbox budget" in caplog.text
    assert "bo@example.com" not in caplog.text
    sending.owners.mailbox_full = False
    sending.clock.ahead += timedelta(minutes=59)
    await send_what_is_due(sending)
    assert scripted.taken == []
    sending.clock.ahead += timedelta(minutes=14)
    await send_what_is_due(sending)
    assert len(scripted.taken) == 1


@pytest.mark.rule("T14")
async def test_the_log_of_an_account_does_not_tell_whether_an_invitation_waits(sending, scripted):
    """Sent or never sent for want of a place: the account's log has the same."""
    await tell(sending, INVITED, REMOVED)
    await send_what_is_due(sending)
    assert len(scripted.taken) == 2
    sending.owners.mailbox_full = True
    await tell(sending, INVITED)
    for _ in range(80):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(hours=1)
    assert sorted((await sending.statuses()).values()) == ["sent", "sent", "withheld"]
    assert len(scripted.taken) == 2
    assert await sending.facts_of_accounts() == [("acc_1", "message.sent", "removed")]


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
    before = ended(status="bounced")
    for _ in range(3):
        await send_what_is_due(sending)
        sending.clock.ahead += timedelta(hours=2)
    document = await sending.one()
    assert (document["status"], document["attempts"], document["reply"]) == ("bounced", 1, reply)
    assert ended(status="bounced") == before + 1
    assert scripted.taken == []
    assert await sending.facts() == [
        ("message.bounced", message_id(row.id, MessageKind.INVITATION, "bo@example.com"))
    ]
    [fact] = await sending.rows()
    link = (fact.data["invitation_id"], fact.data["generation"])
    assert link == (INVITED.invitation_id, INVITED.generation)


async def test_the_backlog_shows_what_waits_what_failed_and_for_how_long(sending, scripted):
    scripted.data_replies.append("451 later")
    await tell_of_removals(sending, 3)
    await send_what_is_due(sending)
    sending.clock.ahead += timedelta(minutes=10)
    await tell_of_removals(sending, 2)
    await claim_due(sending.ctx, limit=1)
    await show_backlog(sending.ctx)
    shown, overdue = backlog()
    assert (shown, overdue) == ({"no": 2, "yes": 1}, pytest.approx(0, abs=30))
    sending.clock.ahead += timedelta(minutes=10)
    await show_backlog(sending.ctx)
    assert backlog() == (shown, pytest.approx(600, abs=90))
    await send_what_is_due(sending)
    await show_backlog(sending.ctx)
    assert backlog() == ({"no": 0, "yes": 0}, 0)


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


async def test_the_inviter_is_told_of_acceptance_and_refusal(sending, scripted):
    accepted = team.InvitationAccepted(**INVITATION, **INVITER, user_id="usr_bo", name="Bo Li")
    await tell(sending, accepted, team.InvitationDeclined(**INVITATION, **INVITER))
    await send_what_is_due(sending)
    assert [recipients for recipients, _ in scripted.taken] == [("ana@example.com",)] * 2
