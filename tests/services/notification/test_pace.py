"""Members cannot flood another member with mails, and the last state reaches that member (T14)."""

import asyncio
from datetime import timedelta

import pytest

from services.notification.domain.digests import SINGLE_MAILS
from services.notification.domain.messages import MessageKind
from services.notification.domain.pace import MAX_PLACES, NEWER_MAIL
from shared.contracts import team
from shared.metrics import REGISTRY
from tests.services.notification.samples import MEMBER, OVERRIDE, ROLE_CHANGED
from tests.services.notification.steps import (
    REMOVED,
    inbox_of,
    mail_id,
    send_what_is_due,
    take,
    tell,
)
from tests.services.rows import on_the_bus, row_of

HOUR = timedelta(hours=1, seconds=1)


def role(title):
    return team.MemberRoleChanged(**ROLE_CHANGED | {"role_title": title}, ends_sessions=False)


def withheld_roles():
    labels = {"service": "notification", "kind": "role_changed", "reason": NEWER_MAIL}
    return REGISTRY.get_sample_value("rolecall_mails_withheld_total", labels) or 0


def of_bo(row, kind=MessageKind.ROLE_CHANGED):
    return mail_id(row, kind, "bo@example.com")


@pytest.mark.rule("T14")
async def test_a_role_changed_to_and_fro_is_three_mails_and_the_last_state(sending, scripted):
    before = withheld_roles()
    rows = await tell(sending, *(role(f"Role {number}") for number in range(40)))
    await send_what_is_due(sending)
    assert sorted(scripted.message_ids) == sorted(map(of_bo, rows[:3]))
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    assert len(scripted.taken) == 4
    assert "Your role in the team “Acme” is now “Role 39”" in str(scripted.mails[3]["Subject"])
    statuses = list((await sending.statuses()).values())
    assert (statuses.count("sent"), statuses.count("withheld")) == (4, 37)
    assert withheld_roles() == before + 36


@pytest.mark.rule("T14")
async def test_a_removal_takes_the_place_of_a_waiting_role(sending, scripted):
    await tell(sending, *(role(f"Role {number}") for number in range(4)))
    (removed,) = await tell(sending, REMOVED)
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    assert of_bo(removed, MessageKind.REMOVED) in scripted.message_ids
    assert len(scripted.taken) == 4


@pytest.mark.parametrize("ended", [REMOVED, team.MemberLeft(**MEMBER)], ids=["removed", "left"])
async def test_mails_that_wait_are_not_sent_to_a_former_member(sending, scripted, ended):
    """One of them arrives only after the end."""
    overrides = [team.OverrideRemoved(**OVERRIDE) for _ in range(4)]
    await tell(sending, *overrides, *(role(f"Role {number}") for number in range(4)))
    late = row_of(team.OverrideRemoved(**OVERRIDE), account_id="acc_1")
    await tell(sending, ended)
    await take(sending, late)
    before = len(scripted.taken)
    await send_what_is_due(sending)
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    kinds = [kind for kind in (await kinds_sent(sending)) if kind != "removed"]
    assert (before, sorted(kinds)) == (0, ["override_removed"] * 3 + ["role_changed"] * 3)

    (again,) = await tell(sending, team.OverrideRemoved(**OVERRIDE))
    await send_what_is_due(sending)
    assert of_bo(again, MessageKind.OVERRIDE_REMOVED) in scripted.message_ids


async def kinds_sent(sending):
    found = sending.database["messages"].find({"status": "sent"})
    return [message["kind"] async for message in found]


@pytest.mark.rule("T14")
async def test_a_fact_that_arrives_late_does_not_replace_a_newer_one(sending, scripted):
    await tell(sending, role("A"), role("B"), role("C"))
    late, newest = (row_of(role(title), account_id="acc_1") for title in ("D", "E"))
    await take(sending, newest, late, newest)
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    assert [str(mail["Subject"])[-2] for mail in scripted.mails[3:]] == ["E"]


@pytest.mark.rule("T14")
async def test_mails_that_go_alone_are_ten_of_a_topic_in_an_hour(sending, scripted):
    """Those about the end of an access are in no digest; each of them arrives."""
    ends = [team.MemberRemoved(**MEMBER) for _ in range(4)]
    await tell(sending, *ends)
    await send_what_is_due(sending)
    assert len(scripted.taken) == 3  # about one thing
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    assert len(scripted.taken) == 4


@pytest.mark.rule("T14")
async def test_ever_new_projects_leave_a_bounded_number_of_mails(sending, scripted):
    """A member who makes a project, an override in it and deletes it, again and again."""
    for number in range(MAX_PLACES + 15):
        project = OVERRIDE | {"project_id": f"prj_{number}"}
        await tell(sending, team.OverrideRemoved(**project))
    paces = [pace async for pace in sending.database["paces"].find({})]
    assert sorted(len(pace["places"]) for pace in paces) == [1, MAX_PLACES]
    for _ in range(4):
        await send_what_is_due(sending)
        sending.clock.ahead += HOUR
    assert len(scripted.taken) == SINGLE_MAILS + 1
    statuses = list((await sending.statuses()).values())
    assert (statuses.count("sent"), statuses.count("withheld")) == (
        SINGLE_MAILS + 1,
        MAX_PLACES - SINGLE_MAILS + 15,
    )


@pytest.mark.rule("T14")
async def test_facts_that_arrive_at_once_do_not_exceed_a_pace(sending, scripted):
    rows = [row_of(role(f"Role {number}"), account_id="acc_1") for number in range(10)]
    inbox = inbox_of(sending)
    await asyncio.gather(*(inbox.handle(on_the_bus(row)) for row in rows))
    await send_what_is_due(sending)
    assert len(scripted.taken) == 3
    sending.clock.ahead += HOUR
    await send_what_is_due(sending)
    assert len(scripted.taken) == 4
    assert any("is now “Role 9”" in str(mail["Subject"]) for mail in scripted.mails)


async def test_a_waiting_mail_that_a_sender_has_claimed_is_not_withheld(sending):
    """The clock of that sender is ahead."""
    await tell(sending, *(team.MemberRemoved(**MEMBER) for _ in range(4)))
    early = sending.clock.now() + HOUR
    *_, waiting = await sending.ctx.messages.due(early, limit=10)
    assert await sending.ctx.messages.claim(waiting, claim="c", until=early)
    await tell(sending, team.MemberRemoved(**MEMBER))
    assert sorted((await sending.statuses()).values()) == ["queued"] * 4 + ["sending"]


async def test_another_account_another_person_and_another_topic_are_not_held(sending, scripted):
    await tell(sending, *(role(f"Role {number}") for number in range(4)))
    await tell(sending, role("X"), account_id="acc_2")
    await tell(sending, team.MemberRemoved(**MEMBER | {"email": "cem@example.com"}))
    await tell(sending, team.OverrideRemoved(**OVERRIDE))
    await send_what_is_due(sending)
    assert len(scripted.taken) == 3 + 3
