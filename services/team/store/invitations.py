"""Invitations in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import ReplaceOne

from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.store.member_list import invitation_fields
from services.team.store.places import EVERYWHERE, at, of_account
from shared.documents import document, read
from shared.ids import AccountId, InvitationId, UserId
from shared.mongo import Database, DbSession, Document, insert_once, majority

_PENDING = InvitationStatus.PENDING.value


class InvitationRows:
    """The collection `invitations`."""

    def __init__(self, database: Database) -> None:
        self._invitations = majority(database, "invitations")

    async def invitation_of_link(self, invitation_id: str) -> Invitation | None:
        """The invitation of that id in any account; only a link names one without its account."""
        wanted = {"_id": invitation_id, "shard": EVERYWHERE}
        found = await self._invitations.find_one(wanted)
        return None if found is None else read(Invitation, found)

    async def invitation(
        self, account_id: AccountId, invitation_id: InvitationId, session: DbSession
    ) -> Invitation | None:
        """The account's invitation of that id, in any status."""
        wanted = {**at(account_id, invitation_id), "account_id": account_id}
        found = await self._invitations.find_one(wanted, session=session)
        return None if found is None else read(Invitation, found)

    async def pending_invitation(
        self, account_id: AccountId, invitation_id: InvitationId, session: DbSession
    ) -> Invitation | None:
        """The account's pending (or expired) invitation of that id."""
        wanted = {
            **at(account_id, invitation_id),
            "account_id": account_id,
            "status": _PENDING,
        }
        found = await self._invitations.find_one(wanted, session=session)
        return None if found is None else read(Invitation, found)

    async def pending_for(
        self, account_id: AccountId, email_key: str, session: DbSession
    ) -> Invitation | None:
        """The account's pending (or expired) invitation of that address; there is one at most."""
        wanted = {**of_account(account_id), "email_key": email_key, "status": _PENDING}
        found = await self._invitations.find_one(wanted, session=session)
        return None if found is None else read(Invitation, found)

    async def pending_among(
        self, account_id: AccountId, email_keys: Collection[str], session: DbSession
    ) -> dict[str, Invitation]:
        """The account's pending (or expired) invitations of these addresses, by their keys."""
        wanted = {
            **of_account(account_id),
            "email_key": {"$in": sorted(email_keys)},
            "status": _PENDING,
        }
        rows = self._invitations.find(wanted, session=session)
        found = [read(Invitation, row) async for row in rows]
        return {invitation.email_key: invitation for invitation in found}

    async def accepted_before(self, account_id: AccountId, email_key: str) -> bool:
        """Whether an invitation of the account to the address was ever accepted."""
        wanted = {
            **of_account(account_id),
            "status": InvitationStatus.ACCEPTED.value,
            "email_key": email_key,
        }
        return await self._invitations.find_one(wanted, {"_id": 1}) is not None

    async def open_of(
        self, account_id: AccountId, inviter_id: UserId, *, now: datetime, session: DbSession
    ) -> list[Invitation]:
        """The open invitations of which this member is the inviter."""
        wanted = _open(account_id, now) | {"inviter_user_id": inviter_id}
        return [
            read(Invitation, row) async for row in self._invitations.find(wanted, session=session)
        ]

    async def count_open(self, account_id: AccountId, *, now: datetime, session: DbSession) -> int:
        """How many invitations of the account are open."""
        return await self._invitations.count_documents(_open(account_id, now), session=session)

    async def open_invitations(
        self, account_id: AccountId, *, now: datetime, session: DbSession
    ) -> list[Invitation]:
        """The open invitations of the account; the catalog's member limit bounds them."""
        rows = self._invitations.find(_open(account_id, now), session=session)
        return [read(Invitation, row) async for row in rows]

    async def pending(self, account_id: AccountId, session: DbSession) -> list[Invitation]:
        """The account's pending and expired invitations."""
        wanted = {**of_account(account_id), "status": _PENDING}
        return [
            read(Invitation, row) async for row in self._invitations.find(wanted, session=session)
        ]

    async def pending_with_role(
        self, account_id: AccountId, role_id: str, session: DbSession
    ) -> list[Invitation]:
        """The account's pending and expired invitations with this role."""
        wanted = {**of_account(account_id), "status": _PENDING, "role": role_id}
        rows = self._invitations.find(wanted, session=session)
        return [read(Invitation, row) async for row in rows]

    async def insert_invitation(
        self, invitation: Invitation, *, now: datetime, session: DbSession
    ) -> None:
        """Save a new invitation.

        Raises:
            AlreadyThere: the address has a pending one.
        """
        await insert_once(self._invitations, _invitation(invitation, now), session)

    async def replace_invitations(
        self, changed: Sequence[Invitation], *, now: datetime, session: DbSession
    ) -> None:
        """Save changed invitations, all in one request."""
        writes = [
            ReplaceOne(at(one.account_id, one.invitation_id), _invitation(one, now))
            for one in changed
        ]
        if writes:
            await self._invitations.bulk_write(writes, session=session)

    async def revoke_pending(
        self, account_id: AccountId, *, now: datetime, session: DbSession
    ) -> None:
        """Revoke the account's pending and expired invitations."""
        await self._invitations.update_many(
            of_account(account_id) | {"status": _PENDING},
            {"$set": {"status": InvitationStatus.REVOKED.value, "over_at": now}},
            session=session,
        )

    async def count_wrong_code(self, invitation_id: str, generation: int, *, limit: int) -> None:
        """Count one more wrong code for this generation, up to the limit that closes the link."""
        newest = {"generation": generation}
        earlier = {"generation": {"$gt": generation}, "oldest_generation": {"$lte": generation}}
        wanted = {
            "_id": invitation_id,
            "shard": EVERYWHERE,
            "$or": [newest, earlier],
            "wrong_codes": {"$lt": limit},
        }
        await self._invitations.update_one(wanted, {"$inc": {"wrong_codes": 1}})

    async def close_earlier_links(self, invitation: Invitation) -> None:
        """Let only the newest link work, if it is still that of this invitation."""
        newest = {
            **at(invitation.account_id, invitation.invitation_id),
            "generation": invitation.generation,
        }
        await self._invitations.update_one(newest, {"$set": {"oldest_generation": None}})


def _open(account_id: AccountId, now: datetime) -> Document:
    """The query for open invitations; one without an end does not expire."""
    return {**of_account(account_id), "status": _PENDING, "expires_at": {"$not": {"$lte": now}}}


def _invitation(invitation: Invitation, now: datetime) -> Document:
    """The document; the database deletes it some time after `over_at`."""
    row = {
        **of_account(invitation.account_id),
        **document(invitation, _id=invitation.invitation_id),
    }
    return {**row, **invitation_fields(row, now=now)}
