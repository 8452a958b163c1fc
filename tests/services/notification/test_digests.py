"""Digests: many changes for one person are one mail, and nothing is lost or told twice."""

import asyncio
from datetime import timedelta

import pytest

from services.notification.domain.digests import (
    DIGEST_WAIT,
    DIGESTED_KINDS,
    MAX_LISTED,
    SINGLE_MAILS,
)
from services.notification.domain.messages import MessageKind
from services.notification.domain.pace import MAILS_ABOUT_ONE_THING
from services.notification.domain.preferences import OPTIONAL_KINDS
from services.notification.use_cases import entries, preferences
from services.notification.use_cases.deliver import claim_due, deliver
from services.notification.use_cases.digests import ClaimLost, settle_digest
from shared.auth.principals import UserPrincipal
from shared.contracts import identity, identity_erasure, team, team_members
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import AccountId, SessionId, UserId
from tests.services.notification.samples import MEMBER, OVERRIDE, ROLE_CHANGED, USER
from tests.services.notification.steps import CLAIM, REMOVED, send_what_is_due, take, tell
from tests.services.rows import row_of

BO = UserId("usr_" + "b" * 32)
ACCOUNT = AccountId("acc_" + "1" * 32)
PRINCIPAL = UserPrincipal(user_id=BO, session_id=SessionId("ses_1"))
CALLER = Caller(actor=Actor(type="user", id=BO), request=RequestInfo(request_id="req_1"))
LATER = DIGEST_WAIT + timedelta(seconds=1)


def override(number):
    project = {"project_id": f"prj_{number}", "project_name": f"p{number}", "user_id": BO}
    return team.OverrideRemoved(**OVERRIDE | project)


def role(title):
    fields = ROLE_CHANGED | {"role_title": title, "user_id": BO}
    return team.MemberRoleChanged(**fields, ends_sessions=False)


async def changes(sending, first, last, *, account_id=ACCOUNT):
    await tell(sending, *map(override, range(first, last)), account_id=account_id)


async def later(sending, by=LATER):
    sending.clock.ahead += by
    await send_what_is_due(sending)


def text_of(mail):
    return " ".join(mail.get_body(("plain",)).get_content().split())


def projects_in(mail):
    return [number for number in range(60) if f"“p{number}”" in text_of(mail)]


async def digests(sending):
    found = sending.database["messages"].find({"kind": "digest"}).sort("_id", 1)
    return [digest async for digest in found]


@pytest.mark.rule("T14")
async def test_many_changes_of_one_account_are_one_mail_that_lists_them(sending, scripted):
    await changes(sending, 0, 9)
    await tell(sending, *(role(f"R{number}") for number in range(5)), account_id=ACCOUNT)
    await changes(sending, 20, 21, account_id="acc_" + "2" * 32)
    await send_what_is_due(sending)
    assert len(scripted.mails) == 2 * SINGLE_MAILS + 1
    await later(sending)
    [digest] = scripted.mails[2 * SINGLE_MAILS + 1 :]
    assert str(digest["Subject"]) == "7 changes for you in “Acme”"
    assert projects_in(digest) == [3, 4, 5, 6, 7, 8]
    assert "is now “R4”" in text_of(digest)
    assert "is now “R3”" not in text_of(digest)  # the newer one took its place
    [stored] = await digests(sending)
    assert str(digest["Message-ID"]) == f"<{stored['_id']}@cloud.example>"
    listed = await entries.page(
        sending.ctx, PRINCIPAL, account_id=ACCOUNT, unread=None, before=None, limit=50
    )
    assert len(listed) == 9 + 5
    await later(sending, timedelta(hours=2))
    assert len(scripted.mails) == 2 * SINGLE_MAILS + 2


async def test_a_digest_says_how_each_of_its_kinds_is_switched_off(sending, scripted):
    await changes(sending, 0, 5)
    await tell(sending, *(role(f"R{number}") for number in range(4)), account_id=ACCOUNT)
    await later(sending)
    mixed = scripted.mails[-1]
    assert mixed["List-Unsubscribe"] is None
    assert text_of(mixed).count("https://cloud.example/unsubscribe?token=") == 2
    html = mixed.get_body(("html",)).get_content()
    assert html.count('href="https://cloud.example/unsubscribe?token=') == 2
    await changes(sending, 5, 8)
    await later(sending)
    same = scripted.mails[-1]
    assert "override_removed" in str(same["List-Unsubscribe"])
    assert projects_in(same) == [5, 6, 7]


@pytest.mark.rule("B12")
async def test_what_is_switched_off_meanwhile_is_not_in_the_digest(sending, scripted):
    await changes(sending, 0, 5)
    await tell(sending, *(role(f"R{number}") for number in range(4)), account_id=ACCOUNT)
    await send_what_is_due(sending)
    off = [(ACCOUNT, [MessageKind.OVERRIDE_REMOVED])]
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, off)
    await later(sending)
    # What is left is one thing alone, in its usual form.
    assert "is now “R3”" in str(scripted.mails[-1]["Subject"])
    assert len(scripted.mails) == 2 * SINGLE_MAILS + 1
    assert projects_in(scripted.mails[-1]) == []


async def test_a_digest_of_nothing_is_not_sent(sending, scripted):
    await changes(sending, 0, 6)
    await send_what_is_due(sending)
    await tell(sending, team.MemberRemoved(**MEMBER | {"user_id": BO}), account_id=ACCOUNT)
    await later(sending)
    assert len(scripted.mails) == SINGLE_MAILS + 1
    assert [one["status"] for one in await digests(sending)] == ["withdrawn"]


@pytest.mark.rule("B12")
def test_what_must_not_wait_is_in_no_digest():
    assert DIGESTED_KINDS < OPTIONAL_KINDS
    assert {
        MessageKind.REMOVED,
        MessageKind.SUSPENDED,
        MessageKind.ACCESS_ENDED,
        MessageKind.OWNERSHIP_OFFERED,
        MessageKind.NEW_DEVICE,
    }.isdisjoint(DIGESTED_KINDS)


async def test_a_removal_goes_at_once_while_a_digest_waits(sending, scripted):
    await changes(sending, 0, 9)
    await send_what_is_due(sending)
    await tell(sending, REMOVED, account_id=ACCOUNT)
    await send_what_is_due(sending)
    assert "removed" in str(scripted.mails[SINGLE_MAILS]["Subject"])


@pytest.mark.rule("T14")
async def test_news_in_place_of_a_long_wait_come_with_the_next_digest(sending, scripted):
    """A suspension goes alone and may wait an hour; that it is over need not wait so long."""
    member = MEMBER | {"user_id": BO}
    ends = [team_members.MemberSuspended(**member) for _ in range(MAILS_ABOUT_ONE_THING + 1)]
    await tell(sending, *ends, account_id=ACCOUNT)
    await tell(sending, team_members.MemberResumed(**member), account_id=ACCOUNT)
    await send_what_is_due(sending)
    assert len(scripted.mails) == MAILS_ABOUT_ONE_THING
    await later(sending)
    assert len(scripted.mails) == MAILS_ABOUT_ONE_THING + 1
    assert "is restored" in str(scripted.mails[-1]["Subject"])


async def test_more_than_a_mail_can_list_is_counted(sending, scripted):
    await changes(sending, 0, SINGLE_MAILS + MAX_LISTED + 15)
    await send_what_is_due(sending)
    await later(sending)
    digest = scripted.mails[-1]
    listed = len(projects_in(digest))
    assert listed <= MAX_LISTED
    assert str(digest["Subject"]) == f"{MAX_LISTED + 15} changes for you in “Acme”"
    assert f"Not listed here: {MAX_LISTED + 15 - listed} more." in text_of(digest)


async def test_a_sender_that_was_killed_leaves_the_digest_as_it_was_settled(sending, scripted):
    await changes(sending, 0, 6)
    await send_what_is_due(sending)
    sending.clock.ahead += LATER
    [(digest, claim)] = await claim_due(sending.ctx, limit=10)
    told = await settle_digest(sending.ctx, digest, claim)
    assert len(told.listed) == 3
    await changes(sending, 6, 9)  # it was settled: these are in the next one
    await later(sending, CLAIM + timedelta(seconds=1))
    assert projects_in(scripted.mails[-1]) == [3, 4, 5]
    with pytest.raises(ClaimLost):
        await settle_digest(sending.ctx, digest, claim)
    await later(sending)
    assert projects_in(scripted.mails[-1]) == [6, 7, 8]
    ids = {str(mail["Message-ID"]) for mail in scripted.mails}
    assert len(ids) == len(scripted.mails) == SINGLE_MAILS + 2


async def test_two_senders_send_one_digest(sending, scripted):
    await changes(sending, 0, 8)
    await send_what_is_due(sending)
    sending.clock.ahead += LATER
    claimed = await asyncio.gather(*(claim_due(sending.ctx, limit=10) for _ in range(3)))
    [[(digest, claim)]] = [each for each in claimed if each]
    await deliver(sending.ctx, digest, claim)
    assert len(scripted.mails) == SINGLE_MAILS + 1


async def test_what_joins_while_a_digest_is_settled_is_in_it_or_in_the_next(sending, scripted):
    await changes(sending, 0, 6)
    await send_what_is_due(sending)
    sending.clock.ahead += LATER
    rows = [row_of(override(number), account_id=ACCOUNT) for number in range(6, 14)]
    [(digest, claim)] = await claim_due(sending.ctx, limit=10)
    await asyncio.gather(deliver(sending.ctx, digest, claim), *(take(sending, row) for row in rows))
    await later(sending)
    told = [number for mail in scripted.mails[SINGLE_MAILS:] for number in projects_in(mail)]
    assert sorted(told) == list(range(3, 14))


async def test_an_erased_person_is_told_nothing_by_a_digest(sending, scripted):
    fields = USER | {"user_id": BO, "email": "bo@example.com"}
    await take(sending, row_of(identity.UserSignedUp(**fields, verified=True, generation=1)))
    await changes(sending, 0, 6)
    await send_what_is_due(sending)
    await tell(sending, identity_erasure.UserErased(user_id=BO, account_id="acc_bo"))
    await later(sending)
    assert [projects_in(mail) for mail in scripted.mails[SINGLE_MAILS:]] == [[]]  # the farewell
    assert await digests(sending) == []


async def test_a_digest_is_in_the_language_of_its_reader(sending, scripted):
    fields = USER | {"user_id": BO, "email": "bo@example.com", "locale": "de"}
    known = fields | {"time_zone": "Europe/Berlin"}
    await take(sending, row_of(identity.UserSignedUp(**known, verified=True, generation=1)))
    await changes(sending, 0, 6)
    await later(sending)
    digest = scripted.mails[-1]
    assert str(digest["Subject"]) == "3 Änderungen für Sie in „Acme“"
    assert "Diese E-Mails" not in text_of(digest)
    switch = "E-Mails dieser Art abbestellen (Ihre eigenen Berechtigungen wurden entfernt)"
    assert switch in text_of(digest)
