"""The collections of users and of their addresses."""

from collections.abc import Collection, Sequence
from datetime import datetime

from services.identity.domain.erasure import TOMBSTONE_LIFETIME
from services.identity.domain.users import FormerAddress, User
from services.identity.store.places import at
from shared.contracts.facts import shard_of
from shared.documents import changes, document, read
from shared.ids import UserId
from shared.mongo import (
    Database,
    DbSession,
    Document,
    insert_all_once,
    insert_once,
    majority,
    update_expected,
)

VERIFIED = {"verified": True}
"""Earlier versions kept users beside these who had signed up and not proved the address; they are
never read. A provisioned user is, also one whose address is not proved yet."""


class UserRows:
    """Users; an address has at most one.

    A document of `addresses` says which user has an address. It is written in the transaction that
    writes the user. During an update, a replica of an earlier version may have written a user
    without a number (`store/adoption.py`): such a user is found by id, and soon by the address.
    """

    def __init__(self, database: Database) -> None:
        self._users = majority(database, "users")
        self._addresses = majority(database, "addresses")

    async def user(self, user_id: UserId, session: DbSession | None = None) -> User | None:
        """Find a user by id."""
        for place in (at(user_id, user_id), {"_id": user_id, "shard": None}):
            found = await self._users.find_one({**place, **VERIFIED}, session=session)
            if found is not None:
                return _read(found)
        return None

    async def tombstone(self, user_id: UserId, session: DbSession | None = None) -> User | None:
        """Find what is left of a user who was erased in the last 30 days."""
        erased = {**at(user_id, user_id), "verified": False, "disabled": True, "email_key": ""}
        found = await self._users.find_one(erased, session=session)
        return None if found is None else _read(found)

    async def user_of(self, email_key: str, session: DbSession | None = None) -> User | None:
        """Find the user of an address.

        There are two look-ups also without a user: their number shows nothing (`T9`).
        """
        address = await self._addresses.find_one({"_id": email_key}, session=session)
        user_id = UserId(email_key if address is None else address["user_id"])
        wanted = {**at(user_id, user_id), "email_key": email_key, **VERIFIED}
        found = await self._users.find_one(wanted, session=session)
        return None if found is None else _read(found)

    async def users_among(
        self, user_ids: Collection[UserId], session: DbSession | None = None
    ) -> dict[UserId, User]:
        """Find those of the users that exist."""
        if not user_ids:
            return {}
        shards = sorted({shard_of(user_id) for user_id in user_ids})
        place = {"_id": {"$in": sorted(user_ids)}, "shard": {"$in": [*shards, None]}}
        rows = self._users.find({**place, **VERIFIED}, session=session)
        found = [_read(row) async for row in rows]
        return {user.id: user for user in found}

    async def holders(
        self, email_keys: Collection[str], session: DbSession | None = None
    ) -> dict[str, User]:
        """Find the users of those of the addresses that have one, by the key of the address."""
        wanted = {"_id": {"$in": sorted(email_keys)}}
        rows = self._addresses.find(wanted, session=session)
        user_ids = [UserId(row["user_id"]) async for row in rows]
        users = await self.users_among(user_ids, session)
        return {user.email_key: user for user in users.values()}

    async def imported_passwords_left(self) -> bool:
        """Return whether a user has not signed in yet with a password of another system."""
        left = {"password_imported": True}
        return await self._users.find_one(left, {"_id": 1}) is not None

    async def insert_users(self, users: Sequence[User], session: DbSession) -> None:
        """Add users, all or none.

        Raises:
            AlreadyThere: one of the addresses has a user.
        """
        if users:
            await insert_all_once(self._addresses, [_address(user) for user in users], session)
            await insert_all_once(self._users, [_user(user) for user in users], session)

    async def update_user(self, before: User, after: User, session: DbSession) -> None:
        """Save a user over the state that was read.

        Raises:
            Lost: the user has changed since.
        """
        expected = {
            **at(before.id, before.id),
            "name": before.name,
            "password_hash": before.password_hash,
        }
        change = {"$set": changes(after, disabled=after.disabled_at is not None)}
        await update_expected(self._users, expected, change, session)

    async def disabled_users(
        self, shards: Sequence[int], *, after: str, limit: int, session: DbSession
    ) -> list[User]:
        """Find disabled users of these shards in the order of their ids, after one of them."""
        wanted = {"shard": {"$in": list(shards)}, "disabled": True, "_id": {"$gt": after}}
        found = self._users.find(wanted, session=session).sort("_id", 1).limit(limit)
        return [_read(row) async for row in found]

    async def users_of_shards(self, shards: Sequence[int], *, after: str, limit: int) -> list[User]:
        """Find users of these shards in the order of their ids, after one of them."""
        wanted = {"shard": {"$in": list(shards)}, "_id": {"$gt": after}, **VERIFIED}
        found = self._users.find(wanted).sort("_id", 1).limit(limit)
        return [_read(row) async for row in found]

    async def move_user(self, before: User, after: User, session: DbSession) -> None:
        """Save a user with another address, over the state that was read.

        Raises:
            AlreadyThere: the address has a user.
            Lost: the user has changed since.
        """
        await insert_once(self._addresses, _address(after), session)
        former = {"_id": before.email_key, "user_id": before.id}
        await self._addresses.delete_one(former, session=session)
        expected = {**at(before.id, before.id), "email_key": before.email_key}
        await update_expected(self._users, expected, {"$set": changes(after)}, session)

    async def erase_user(
        self, before: User, tombstone: User, *, now: datetime, session: DbSession
    ) -> None:
        """Put a tombstone in the place of a user, for some time, and free the address.

        Raises:
            Lost: the user has changed since.
        """
        address = {"_id": before.email_key, "user_id": before.id}
        await self._addresses.delete_one(address, session=session)
        expected = {**at(before.id, before.id), "email_key": before.email_key}
        lapses_at = now + TOMBSTONE_LIFETIME
        change = changes(tombstone, verified=False, disabled=True, lapses_at=lapses_at)
        await update_expected(self._users, expected, {"$set": change}, session)


def _read(stored: Document) -> User:
    former = tuple(FormerAddress(**one) for one in stored.get("former_addresses", ()))
    restored = None if (one := stored.get("restored")) is None else FormerAddress(**one)
    return read(User, {**stored, "former_addresses": former, "restored": restored})


def _user(user: User) -> Document:
    return document(
        user,
        shard=shard_of(user.id),
        **VERIFIED,
        lapses_at=None,
        disabled=user.disabled_at is not None,
    )


def _address(user: User) -> Document:
    return {"_id": user.email_key, "user_id": user.id}
