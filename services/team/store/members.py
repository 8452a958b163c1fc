"""Memberships in the database, with the names of people."""

from collections.abc import Collection, Mapping, Sequence

from pymongo import ReplaceOne, UpdateOne

from services.team.domain.members import Membership
from services.team.store.member_list import member_fields
from services.team.store.places import EVERYWHERE, at, of_account
from services.team.store.policy_documents import policy_document
from shared.activity import ACTIVITY_STEP, SeenMember
from shared.addresses import Address
from shared.contracts.facts import Position, shard_of
from shared.documents import read
from shared.ids import AccountId, UserId
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_all_once,
    insert_once,
    majority,
    update_each,
    update_expected,
)
from shared.names import name_key


class MemberRows:
    """The collections `members` and `people`."""

    def __init__(self, database: Database) -> None:
        self._members = majority(database, "members")
        self._people = majority(database, "people")

    async def member(
        self, account_id: AccountId, user_id: UserId, session: DbSession | None = None
    ) -> Membership | None:
        """The user's membership in the account."""
        found = await self._members.find_one(
            at(account_id, _key(account_id, user_id)), session=session
        )
        return None if found is None else read(Membership, found)

    async def members_among(
        self, account_id: AccountId, users: Collection[UserId], session: DbSession | None = None
    ) -> dict[UserId, Membership]:
        """The memberships of those of the users who have one in the account."""
        keys = [_key(account_id, user_id) for user_id in sorted(users)]
        wanted = {"shard": shard_of(account_id), "_id": {"$in": keys}}
        rows = self._members.find(wanted, session=session)
        found = [read(Membership, row) async for row in rows]
        return {member.user_id: member for member in found}

    async def members(
        self, account_id: AccountId, session: DbSession | None = None
    ) -> list[Membership]:
        """All memberships of the account, the owner's included."""
        rows = self._members.find(of_account(account_id), session=session)
        return [read(Membership, row) async for row in rows]

    async def count_members(self, account_id: AccountId, session: DbSession | None = None) -> int:
        """How many memberships the account has, the owner's included."""
        return await self._members.count_documents(of_account(account_id), session=session)

    async def is_member(self, account_id: AccountId, email_key: str, session: DbSession) -> bool:
        """Whether a member of the account has joined with this address."""
        wanted = {**of_account(account_id), "email_key": email_key}
        return await self._members.find_one(wanted, {"_id": 1}, session=session) is not None

    async def memberships_of(
        self, user_id: UserId, session: DbSession | None = None
    ) -> list[Membership]:
        """The user's memberships in all accounts, the oldest account first."""
        rows = self._members.find({"user_id": user_id, "shard": EVERYWHERE}, session=session)
        found = [read(Membership, row) async for row in rows]
        return sorted(found, key=lambda membership: membership.account_id)

    async def members_by_identity(
        self, account_id: AccountId, identities: Sequence[str], session: DbSession
    ) -> list[Membership]:
        """The members of the account who have signed in by one of these subjects of issuers."""
        if not identities:
            return []
        wanted = {**of_account(account_id), "identities": {"$in": list(identities)}}
        rows = self._members.find(wanted, session=session)
        return [read(Membership, row) async for row in rows]

    async def save_identities(
        self, member: Membership, identities: Sequence[str], session: DbSession
    ) -> None:
        """Save by which subjects a member has signed in. No fact tells it, so `rev` stays."""
        change = {"$set": {"identities": list(identities)}}
        await self._members.update_one(_place(member), change, session=session)

    async def insert_member(self, member: Membership, *, rev: int, session: DbSession) -> None:
        """Save a new membership.

        Raises:
            AlreadyThere: the user is a member already.
        """
        await insert_once(self._members, _member(member, rev), session)

    async def replace_members(
        self, changed: Sequence[Membership], *, rev: int, session: DbSession
    ) -> None:
        """Save changed memberships, all in one request."""
        writes = [ReplaceOne(_place(member), _member(member, rev)) for member in changed]
        if writes:
            await self._members.bulk_write(writes, session=session)

    async def insert_members(
        self, new: Sequence[Membership], *, rev: int, session: DbSession
    ) -> None:
        """Save new memberships, all in one request.

        Raises:
            AlreadyThere: a user is a member already.
        """
        if new:
            await insert_all_once(self._members, [_member(one, rev) for one in new], session)

    async def delete_member(self, member: Membership, session: DbSession) -> None:
        """Delete a membership."""
        await self._members.delete_one(_place(member), session=session)

    async def delete_members_but(
        self, account_id: AccountId, owner_id: UserId, session: DbSession
    ) -> None:
        """Delete every membership of the account but the owner's."""
        others = of_account(account_id) | {"user_id": {"$ne": owner_id}}
        await self._members.delete_many(others, session=session)

    async def save_activity(self, seen: Sequence[SeenMember]) -> None:
        """Save when members were last active, unless a moment close to it is stored.

        Revisions do not number it, so `rev` stays.
        """
        await update_each(
            self._members,
            [
                (
                    {
                        **at(
                            AccountId(one.account_id),
                            _key(AccountId(one.account_id), UserId(one.user_id)),
                        ),
                        "last_active_at": {"$not": {"$gt": one.at - ACTIVITY_STEP}},
                    },
                    {"$set": {"last_active_at": one.at}},
                )
                for one in seen
            ],
        )

    async def learn_person(
        self,
        *,
        user_id: UserId,
        name: str,
        address: Address | None = None,
        position: Position,
        session: DbSession,
    ) -> str:
        """Store what a fact of identity tells of a user, unless a newer fact was stored already.

        Memberships have copies of the name, and of the address if the fact is about a change.

        Returns:
            The newest name that is known.
        """
        known = await self._people.find_one({"_id": user_id}, session=session)
        if known is not None and known["epoch"] == position.epoch and known["seq"] >= position.seq:
            return str(known["name"])
        place = {"name": name, "epoch": position.epoch, "seq": position.seq}
        await self._people.update_one(
            {"_id": user_id}, {"$set": place}, upsert=True, session=session
        )
        copies = {"name": name, "name_key": name_key(name)}
        if address is not None:
            copies |= {
                "email": address.typed,
                "email_key": address.key,
                "address_key": name_key(address.typed),
            }
        await self._members.update_many(
            {"user_id": user_id, "shard": EVERYWHERE}, {"$set": copies}, session=session
        )
        return name

    async def names_for_joining(
        self, names: Mapping[UserId, str], *, session: DbSession
    ) -> dict[UserId, str]:
        """The newest known names of these users; see `name_for_joining`."""
        rows = self._people.find({"_id": {"$in": sorted(names)}}, session=session)
        known = {UserId(row["_id"]): str(row["name"]) async for row in rows}
        touched = [UpdateOne({"_id": user_id}, {"$inc": {"joins": 1}}) for user_id in sorted(known)]
        if touched:
            await self._people.bulk_write(touched, session=session)
        return {**names, **known}

    async def name_for_joining(self, user_id: UserId, *, otherwise: str, session: DbSession) -> str:
        """The user's newest known name, for a membership that this transaction creates.

        The read also changes the row. A renaming at the same moment then comes before or after, and
        does not miss the new membership.
        """
        known = await self._people.find_one({"_id": user_id}, session=session)
        if known is None:
            return otherwise
        touched = {"$set": {"joins": known.get("joins", 0) + 1}}
        await update_expected(self._people, {"_id": user_id}, touched, session)
        return str(known["name"])


def _key(account_id: AccountId, user_id: UserId) -> str:
    return f"{account_id}/{user_id}"


def _place(member: Membership) -> Document:
    return at(member.account_id, _key(member.account_id, member.user_id))


def _member(member: Membership, rev: int) -> Document:
    key = _key(member.account_id, member.user_id)
    row = policy_document(member, key=key, account_id=member.account_id, rev=rev)
    return {**row, **member_fields(row)}
