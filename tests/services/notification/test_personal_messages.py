"""What notification has of a person: taken along, deleted, and learned of before any fact."""

from dataclasses import replace

import pytest

from services.notification.domain.personal_messages import MAX_ROWS
from services.notification.use_cases import entries, preferences
from services.notification.use_cases.earlier_users import learn_all, learn_earlier_users
from services.notification.use_cases.personal_messages import personal_messages
from shared.contracts import identity, identity_erasure, team
from shared.contracts.calls.identity import PersonKnown
from shared.ids import UserId
from tests.services.notification.samples import OPEN, SIGN_UP, USER
from tests.services.notification.steps import send_what_is_due, take, tell
from tests.services.notification.test_preferences import (
    ACCOUNT,
    BO,
    CALLER,
    PRINCIPAL,
    ROLE,
    changed,
    learn_about,
)
from tests.services.rows import row_of

EMAIL = "bo@example.com"
ERASED = identity_erasure.UserErased(user_id=BO, account_id="acc_bo")
CEM = UserId("usr_" + "c" * 32)
OTHER = {"user_id": CEM, "email": "cem@example.com"}


async def exported(sending, *, email=EMAIL):
    return await personal_messages(sending.ctx, BO, proved_email=email)


def known(user_id=BO, **fields):
    told = {"account_id": "acc_bo", "email": EMAIL, "locale": "de", "time_zone": "Europe/Berlin"}
    return PersonKnown(user_id=user_id, **told | fields)


async def person(sending, user_id=BO):
    return await sending.ctx.people.find(UserId(user_id))


async def kinds_left(sending):
    found = sending.database["messages"].find({})
    return sorted([one["kind"] async for one in found])


async def test_an_export_has_list_mails_and_preferences_of_one_person(sending):
    await learn_about(sending, BO, locale="de")
    await tell(sending, changed(), changed(**OTHER), account_id=ACCOUNT)
    await send_what_is_due(sending)
    await preferences.choose(sending.ctx, CALLER, PRINCIPAL, [(None, [ROLE])])
    await tell(sending, changed(role="admin"), account_id=ACCOUNT)
    await tell(
        sending, identity.SignUpRequested(**SIGN_UP | {"email": "Bo@Example.com"}, generation=1)
    )
    found = await exported(sending)
    assert found.complete
    assert found.reader is not None
    assert (found.reader.email_key, found.reader.locale) == (EMAIL, "de")
    assert [one.entry.kind for one in found.entries] == ["role_changed"] * 2
    assert "Rolle" in found.entries[0].text.title
    assert sorted((one.stored.message.kind, one.stored.status) for one in found.mails) == [
        ("role_changed", "sent"),
        ("role_changed", "withheld"),
        ("verify_email", "queued"),
    ]
    assert [one.kinds for one in found.off] == [(ROLE,)]
    assert "cem@example.com" not in str(found)


async def test_a_digest_that_waits_is_exported_without_its_number(sending):
    for role in ("admin", "member", "billing", "viewer", "admin"):
        await tell(sending, changed(role=role), account_id=ACCOUNT)
    mails = {one.stored.message.kind: one for one in (await exported(sending)).mails}
    assert mails["digest"].subject == "Changes for you in “Acme”"


async def test_mails_to_an_address_are_exported_only_if_it_is_proved(sending):
    await tell(sending, team.InvitationCreated(**OPEN, delivery="email"))
    assert (await exported(sending, email=None)).mails == []
    [mail] = (await exported(sending)).mails
    assert mail.stored.message.kind == "invitation"
    assert "“Acme”" in mail.subject


async def test_mails_that_name_another_user_stay_theirs(sending):
    """The address was that of another user, whose mails to it name them."""
    await tell(sending, changed(user_id=CEM), account_id=ACCOUNT)
    assert (await exported(sending)).mails == []


async def test_an_export_of_a_long_list_says_that_it_is_cut(sending):
    await tell(sending, changed(), account_id=ACCOUNT)
    [entry] = [one async for one in sending.database["entries"].find({})]
    copies = [{**entry, "_id": f"msg_{number:032x}"} for number in range(MAX_ROWS)]
    await sending.database["entries"].insert_many(copies[1:])
    found = await exported(sending)
    assert (found.complete, len(found.entries)) == (True, MAX_ROWS)
    assert len({one.entry.id for one in found.entries}) == MAX_ROWS
    await sending.database["entries"].insert_one(copies[0])
    found = await exported(sending)
    assert (found.complete, len(found.entries)) == (False, MAX_ROWS)


@pytest.mark.rule("T15")
async def test_an_erasure_deletes_what_waits_and_what_was_sent(sending, scripted):
    await learn_about(sending, BO, locale="de")
    await tell(
        sending, team.InvitationCreated(**OPEN | {"email": "new@example.com"}, delivery="email")
    )
    await tell(sending, identity.SignUpRequested(**SIGN_UP, generation=1))
    await tell(sending, changed(), account_id=ACCOUNT)
    await send_what_is_due(sending)
    sign_up_again = identity.SignUpRequested(
        **SIGN_UP | {"sign_up_id": "sup_" + "2" * 32}, generation=1
    )
    await tell(sending, changed(role="admin"), account_id=ACCOUNT)
    await tell(sending, changed(**OTHER), account_id=ACCOUNT)
    await tell(sending, sign_up_again)
    messages = sending.database["messages"]
    await messages.update_many({"kind": "verify_email"}, {"$set": {"user_id": None}})
    await tell(sending, ERASED)
    await tell(sending, changed(), account_id=ACCOUNT)
    assert await kinds_left(sending) == [
        "invitation",
        "role_changed",  # to another user
        "user_erased",
        "verify_email",  # it waits for the next user of the address
    ]
    before = len(scripted.mails)
    await send_what_is_due(sending)
    assert len(scripted.mails) - before == 3
    assert (await exported(sending, email=None)).reader is None


async def test_users_of_before_are_learned_of_once(sending):
    sending.users.pages = [[known()], [known(CEM, email="cem@example.com", locale="en")]]
    await learn_earlier_users(sending.ctx)
    await learn_earlier_users(sending.ctx)
    assert sending.users.asked == 2
    found = await person(sending)
    assert (found.email_key, found.locale, found.account_id) == (EMAIL, "de", "acc_bo")
    await tell(sending, changed(), account_id=ACCOUNT)
    found = await entries.page(
        sending.ctx, PRINCIPAL, account_id=None, unread=None, before=None, limit=5
    )
    assert "Rolle" in found[0].text.title


async def test_a_fact_counts_more_than_the_list_of_users(sending):
    await learn_about(sending, BO, locale="en")
    await tell(sending, identity_erasure.UserErased(user_id=CEM, account_id="acc_cem"))
    sending.users.pages = [[known(), known(CEM), known("usr_dia", locale="en")]]
    assert await learn_all(sending.ctx)
    assert (await person(sending)).locale == "en"
    assert (await person(sending, CEM)).erased
    later = identity.UserLocaleChanged(**USER | {"user_id": "usr_dia"}, locale="de")
    await take(sending, row_of(later))
    assert (await person(sending, "usr_dia")).locale == "de"


async def test_an_account_that_facts_left_out_is_filled_in(sending):
    await learn_about(sending, BO, locale="en")
    people = sending.database["people"]
    await people.update_one({"_id": BO}, {"$unset": {"account_id": ""}})
    sending.users.pages = [[known()]]
    await learn_all(sending.ctx)
    assert (await person(sending)).account_id == "acc_bo"


async def test_an_identity_without_a_list_or_an_answer_is_asked_again_later(sending, caplog):
    users = sending.users
    users.pages, users.away, users.earlier_version = [[known()]], True, True
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        users.away = False
        users.earlier_version = len(pauses) < 3

    await learn_earlier_users(replace(sending.ctx, pause=pause))
    assert len(pauses) == 3
    assert await person(sending) is not None
    assert "The database" not in caplog.text
