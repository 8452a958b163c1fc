"""Which users are members of an account, or were."""

from collections.abc import Collection

from shared.contracts.facts import shard_of
from shared.ids import AccountId, UserId
from shared.mongo import Database, majority

MemberPlace = tuple[AccountId, UserId]


class OnceMemberRows:
    """Reads `members` and `former_members`, whose documents have the same ids."""

    def __init__(self, database: Database) -> None:
        self._present = majority(database, "members")
        self._past = majority(database, "former_members")

    async def users_once_in(self, places: Collection[MemberPlace]) -> set[MemberPlace]:
        """Those who are members of the account, or were.

        Who was a member is asked between two looks at the members: leaving and coming back move a
        user from one collection to the other.
        """
        keys = {f"{account_id}/{user_id}": (account_id, user_id) for account_id, user_id in places}
        found: set[str] = set()
        for collection in (self._present, self._past, self._present):
            left = sorted(keys.keys() - found)
            if not left:
                break
            shards = {shard_of(keys[key][0]) for key in left}
            wanted = {"_id": {"$in": left}, "shard": {"$in": sorted(shards)}}
            found |= {row["_id"] async for row in collection.find(wanted, {"_id": 1})}
        return {keys[key] for key in found}
