"""The counts of mailed invitations, per account and per mailbox, in the database."""

import contextlib
from collections.abc import Sequence

from services.team.domain.invitation_mails import (
    WINDOW,
    AccountMail,
    MailboxPlace,
    recent_mails,
    take_place,
)
from services.team.store.places import at
from shared.documents import document
from shared.ids import AccountId
from shared.mongo import AlreadyThere, Database, DbSession, Document, insert_once, majority


class InvitationMailRows:
    """The mails of the last day.

    Those of an account are in the collection `invitation_counts`. Those to a mailbox are in
    `allowances`: all accounts share a mailbox, so it belongs to no account's shard.
    """

    def __init__(self, database: Database) -> None:
        self._account_mails = majority(database, "invitation_counts")
        self._mailboxes = majority(database, "allowances")

    async def account_mails(self, account_id: AccountId, session: DbSession) -> list[AccountMail]:
        """The invitations that the account has mailed, those of the last day at least."""
        found = await self._account_mails.find_one(_place(account_id), session=session)
        return [] if found is None else [AccountMail(**mail) for mail in found["mails"]]

    async def add_account_mail(
        self, account_id: AccountId, mail: AccountMail, session: DbSession
    ) -> None:
        """Count a mail of the account; mails that are older than a day are forgotten."""
        mails = recent_mails(await self.account_mails(account_id, session), now=mail.at)
        await self._account_mails.update_one(
            _place(account_id),
            {
                "$set": {
                    "mails": [document(one) for one in (*mails, mail)],
                    "expires_at": mail.at + WINDOW,
                }
            },
            upsert=True,
            session=session,
        )

    async def has_place(self, mailbox: str, place: MailboxPlace, *, limit: int) -> bool:
        """Whether a mail to a mailbox would be counted now."""
        found = await self._mailboxes.find_one({"_id": f"mailbox/{mailbox}"})
        return take_place(_read_places(found), place, limit=limit) is not None

    async def take_place(self, mailbox: str, place: MailboxPlace, *, limit: int) -> bool:
        """Count a mail to a mailbox, unless it would be too many; return whether it is counted."""
        key = f"mailbox/{mailbox}"
        while True:
            found = await self._mailboxes.find_one({"_id": key})
            before = _read_places(found)
            after = take_place(before, place, limit=limit)
            if after is None:
                return False
            if found is None:
                with contextlib.suppress(AlreadyThere):
                    row = {"_id": key, "version": 1, **_places(after, place)}
                    await insert_once(self._mailboxes, row)
                    return True
                continue
            version = found["version"]
            outcome = await self._mailboxes.update_one(
                {"_id": key, "version": version},
                {"$set": {"version": version + 1, **_places(after, place)}},
            )
            if outcome.matched_count == 1:
                return True


def _place(account_id: AccountId) -> Document:
    return at(account_id, f"mails/{account_id}")


def _read_places(found: Document | None) -> list[MailboxPlace]:
    return [] if found is None else [MailboxPlace(**one) for one in found["places"]]


def _places(places: Sequence[MailboxPlace], newest: MailboxPlace) -> dict[str, object]:
    return {"places": [document(one) for one in places], "expires_at": newest.at + WINDOW}
