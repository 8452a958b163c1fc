"""Where do invitations stand, and how many were sent lately?"""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ReplaceOne

from services.team.domain.allowances import WINDOW, spend
from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.store.codec import document, read
from shared.ids import AccountId, InvitationId, UserId
from shared.mongo import Database, DbSession, Document, insert_once, majority

_PENDING = InvitationStatus.PENDING.value


class InvitationRows:
    """Invitations, and the allowances of addresses and accounts."""

    def __init__(self, database: Database) -> None:
        self._invitations = majority(database, "invitations")
        self._allowances = majority(database, "allowances")

    async def invitation(
        self, invitation_id: str, session: DbSession | None = None
    ) -> Invitation | None:
        """The invitation of that id, in whatever account: only a token names one this way."""
        found = await self._invitations.find_one({"_id": invitation_id}, session=session)
        return None if found is None else read(Invitation, found)

    async def pending_invitation(
        self, account_id: AccountId, invitation_id: InvitationId, session: DbSession
    ) -> Invitation | None:
        """The account's pending (or expired) invitation of that id."""
        wanted = {"_id": invitation_id, "account_id": account_id, "status": _PENDING}
        found = await self._invitations.find_one(wanted, session=session)
        return None if found is None else read(Invitation, found)

    async def pending_for(
        self, account_id: AccountId, email_key: str, session: DbSession
    ) -> Invitation | None:
        """The account's pending (or expired) invitation of that address; there is one at most."""
        wanted = {"account_id": account_id, "email_key": email_key, "status": _PENDING}
        found = await self._invitations.find_one(wanted, session=session)
        return None if found is None else read(Invitation, found)

    async def pending(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[Invitation]:
        """The account's pending and expired invitations, the newest first (`Rp6`)."""
        wanted = {"account_id": account_id, "status": _PENDING}
        rows = self._invitations.find(wanted, session=session)
        found = [read(Invitation, row) async for row in rows]
        return sorted(found, key=lambda invitation: invitation.invitation_id, reverse=True)

    async def open_of(
        self, account_id: AccountId, inviter_id: UserId, *, now: datetime, session: DbSession
    ) -> list[Invitation]:
        """The account's open invitations that this member answers for."""
        wanted = _open(account_id, now) | {"inviter_user_id": inviter_id}
        return [
            read(Invitation, row) async for row in self._invitations.find(wanted, session=session)
        ]

    async def count_open(self, account_id: AccountId, *, now: datetime, session: DbSession) -> int:
        """How many invitations of the account are open."""
        return await self._invitations.count_documents(_open(account_id, now), session=session)

    async def insert_invitation(self, invitation: Invitation, session: DbSession) -> None:
        """Save a new invitation.

        Raises:
            AlreadyThere: the address has a pending one.
        """
        await insert_once(self._invitations, _invitation(invitation), session)

    async def replace_invitation(self, invitation: Invitation, session: DbSession) -> None:
        """Save a changed invitation."""
        row = _invitation(invitation)
        await self._invitations.replace_one({"_id": row["_id"]}, row, session=session)

    async def replace_invitations(self, changed: Sequence[Invitation], session: DbSession) -> None:
        """Save changed invitations, all in one request."""
        rows = map(_invitation, changed)
        writes = [ReplaceOne({"_id": row["_id"]}, row) for row in rows]
        if writes:
            await self._invitations.bulk_write(writes, session=session)

    async def count_wrong_code(self, invitation_id: str, generation: int, *, limit: int) -> None:
        """Remember one more wrong code for this generation, up to the limit that kills it."""
        wanted = {
            "_id": invitation_id,
            "generation": generation,
            "wrong_codes": {"$lt": limit},
        }
        await self._invitations.update_one(wanted, {"$inc": {"wrong_codes": 1}})

    async def spend(
        self,
        *,
        address: str | None,
        account_id: AccountId,
        per_address: int,
        per_account: int,
        now: datetime,
        session: DbSession,
    ) -> None:
        """Take one invitation from the account's allowance, and one mail from the address's.

        Raises:
            InvitationRateLimited: there is none left.
        """
        await self._spend(f"account/{account_id}", limit=per_account, now=now, session=session)
        if address is not None:
            await self._spend(f"address/{address}", limit=per_address, now=now, session=session)

    async def _spend(self, key: str, *, limit: int, now: datetime, session: DbSession) -> None:
        known = await self._allowances.find_one({"_id": key}, session=session)
        times = spend(known["times"] if known else [], limit=limit, now=now)
        await self._allowances.update_one(
            {"_id": key},
            {"$set": {"times": times, "expires_at": now + WINDOW}},
            upsert=True,
            session=session,
        )


def _open(account_id: AccountId, now: datetime) -> Document:
    """What an open invitation matches: one without an end is never over."""
    return {"account_id": account_id, "status": _PENDING, "expires_at": {"$not": {"$lte": now}}}


def _invitation(invitation: Invitation) -> dict[str, object]:
    return document(invitation, _id=invitation.invitation_id)
