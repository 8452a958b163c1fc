"""Writes of the documents that team's database deletes by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rolecall import Delivery
from services.team.domain.invitation_mails import AccountMail, MailboxPlace
from services.team.domain.invitations import Invitation, InvitationStatus
from shared.auth.lifetimes import SESSION_END_RETENTION
from shared.ids import AccountId, InvitationId, UserId
from tests.services.kept.stores import DAY, HOUR
from tests.support.service import FAR

if TYPE_CHECKING:
    from shared.mongo import DbSession
    from tests.services.kept.stores import Stores

ACCOUNT = AccountId("acc_1")


async def invitations_counted(stores: Stores) -> None:
    for now in (FAR - HOUR, FAR):

        async def save(session: DbSession, now: Any = now) -> None:
            await stores.team.save_invitation_times(ACCOUNT, [now], now=now, session=session)

        await stores.transact(save)


async def invitations_mailed(stores: Stores) -> None:
    for at in (FAR - HOUR, FAR):
        mail = AccountMail(mailbox="ana@x.example", at=at)

        async def add(session: DbSession, mail: AccountMail = mail) -> None:
            await stores.team.add_account_mail(ACCOUNT, mail, session)

        await stores.transact(add)


async def mailbox_place_taken(stores: Stores) -> None:
    place = MailboxPlace(link="inv_1/1", established=False, at=FAR)
    assert await stores.team.take_place("ana@x.example", place, limit=9)


async def mailbox_place_taken_again(stores: Stores) -> None:
    for number, at in enumerate((FAR - HOUR, FAR)):
        place = MailboxPlace(link=f"inv_1/{number}", established=True, at=at)
        assert await stores.team.take_place("ana@x.example", place, limit=99)


async def end_learned(stores: Stores) -> None:
    """As earlier versions did, which may run beside this one during an update."""
    kept = {"_id": "ses_1", "expires_at": FAR + SESSION_END_RETENTION}
    await stores.database["ended_sessions"].insert_one(kept)


INVITATION = Invitation(
    account_id=ACCOUNT,
    invitation_id=InvitationId("inv_1"),
    email="ana@x.example",
    email_key="ana@x.example",
    role="basic",
    delivery=Delivery.EMAIL,
    inviter_user_id=UserId("usr_1"),
    inviter_name="Ben",
    inviter_email="ben@x.example",
    created_at=FAR - 8 * DAY,
    expires_at=FAR - DAY,
)


async def invite(stores: Stores, invitation: Invitation = INVITATION) -> None:
    async def insert(session: DbSession) -> None:
        await stores.team.insert_invitation(invitation, now=FAR - DAY, session=session)

    await stores.transact(insert)


async def invitation_written(stores: Stores) -> None:
    await invite(stores)


async def endless_invitation_written(stores: Stores) -> None:
    await invite(stores, replace(INVITATION, expires_at=None))


async def invitation_revoked(stores: Stores) -> None:
    await invite(stores)
    revoked = replace(INVITATION, status=InvitationStatus.REVOKED)
    await stores.transact(
        lambda session: stores.team.replace_invitations([revoked], now=FAR, session=session)
    )


async def invitations_of_account_revoked(stores: Stores) -> None:
    await invite(stores, replace(INVITATION, expires_at=None))
    await stores.transact(
        lambda session: stores.team.revoke_pending(ACCOUNT, now=FAR, session=session)
    )
