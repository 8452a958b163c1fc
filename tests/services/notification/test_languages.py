"""Mails arrive in the language that the newest fact about their reader tells."""

from datetime import timedelta

import pytest

from services.notification.domain.people import person_of
from services.notification.store.people import ERASED_RETENTION
from shared.contracts import identity, identity_erasure, team, team_endings
from shared.mongo import majority
from tests.services.notification.samples import MEMBER, OPEN, SIGN_UP, USER
from tests.services.notification.steps import send_what_is_due, take, tell
from tests.services.rows import row_of

USER_ID = USER["user_id"]
ANA = USER | {"user_id": "usr_ana", "email": "ana@example.com", "name": "Ana Díaz"}
REMOVED = team.MemberRemoved(**MEMBER | {"user_id": USER_ID})


def chosen(user=USER, **fields):
    return identity.UserLocaleChanged(**user, **fields)


async def languages(sending, scripted):
    await send_what_is_due(sending)
    return [(str(mail["To"]), str(mail["Content-Language"])) for mail in scripted.mails]


async def known(sending, user_id=USER_ID):
    return await majority(sending.database, "people").find_one({"_id": user_id})


async def test_a_member_is_told_in_the_chosen_language_and_zone(sending, scripted):
    await tell(sending, chosen(locale="de", time_zone="Europe/Berlin"))
    await tell(
        sending,
        team_endings.AccountMembersInformed(
            account_name="Acme", about="deletion", emails=("bo@example.com", "cem@example.com")
        ),
    )
    assert sorted(await languages(sending, scripted)) == [
        ("bo@example.com", "de"),
        ("cem@example.com", "en"),
    ]


@pytest.mark.parametrize(
    ("user_of_address", "language"), [(None, "de"), ("en", "en")], ids=["stranger", "user"]
)
async def test_an_invitation_has_the_language_of_its_inviter_or_of_its_user(
    sending, scripted, user_of_address, language
):
    await tell(sending, chosen(ANA, locale="de"))
    if user_of_address is not None:
        await tell(sending, chosen(locale=user_of_address))
    await tell(sending, team.InvitationCreated(**OPEN, delivery="email"))
    assert await languages(sending, scripted) == [("bo@example.com", language)]


async def test_a_sign_up_is_answered_in_the_language_of_its_browser(sending, scripted):
    await tell(sending, identity.SignUpRequested(**SIGN_UP, generation=1, locale="de"))
    assert await languages(sending, scripted) == [("bo@example.com", "de")]
    [text, _] = scripted.mails[0].iter_parts()
    assert "Bestätigen Sie" in text.get_content()


async def test_facts_about_a_user_count_by_their_order_in_the_journal(sending):
    first, second = row_of(chosen(locale="en")), row_of(chosen(locale="de"))
    await take(sending, second, first, second)
    assert (await known(sending))["locale"] == "de"


async def test_a_restored_journal_counts_although_its_sequence_begins_anew(sending):
    before = row_of(chosen(locale="de"), seq=900)
    after = row_of(chosen(locale="en"), seq=3, epoch="e2")
    async with await sending.ctx.client.start_session() as session:
        for row in (before, after):
            await sending.ctx.people.save(person_of(row), row, session, now=sending.clock.now())
    assert (await known(sending))["locale"] == "en"


async def test_an_erased_user_is_forgotten_and_does_not_come_back(sending, scripted):
    earlier = row_of(chosen(locale="de"))
    known_as = row_of(chosen(locale="de"))
    erased = row_of(identity_erasure.UserErased(user_id=USER_ID, account_id="acc_bo"))
    await take(sending, known_as, erased, earlier)
    left = await known(sending)
    assert "bo@example.com" not in str(left)
    assert left["email_key"] == ""
    assert left["delete_at"] - sending.clock.now() <= ERASED_RETENTION + timedelta(minutes=1)
    assert await languages(sending, scripted) == [("bo@example.com", "de")]


async def test_a_message_of_an_earlier_version_is_sent_in_english(sending, scripted):
    await tell(sending, chosen(locale="de"))
    await tell(sending, REMOVED)
    new = ("user_id", "locale", "time_zone")
    messages = majority(sending.database, "messages")
    await messages.update_many({}, {"$unset": dict.fromkeys(new, "")})
    assert await languages(sending, scripted) == [("bo@example.com", "en")]
