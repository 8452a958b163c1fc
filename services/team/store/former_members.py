"""Who was a member of an account, and which problems of a connection's rule were told."""

from collections.abc import Sequence
from hashlib import sha256

from pymongo import ReplaceOne

from services.team.domain.connection_joins import ConnectionRule
from services.team.domain.members import Membership, PersonTraits, traits_of
from services.team.store.places import at, of_account
from shared.contracts.calls.connections import JoinProblem
from shared.contracts.facts import shard_of
from shared.ids import AccountId
from shared.mongo import Database, DbSession, Document, majority

_DIGITS = 40


class FormerMemberRows:
    """The collections `former_members` and `join_refusals`.

    A former member has a row for the user, one for the address and one for each subject of an
    issuer by which they signed in. Address and subject are there as digests: a person who makes a
    new user is known again.
    """

    def __init__(self, database: Database) -> None:
        self._former = majority(database, "former_members")
        self._refusals = majority(database, "join_refusals")

    async def keep_former(self, members: Sequence[Membership], session: DbSession) -> None:
        """Note that these users are members no more."""
        writes = [
            ReplaceOne(
                at(member.account_id, key),
                {"_id": key, **of_account(member.account_id), "told": False},
                upsert=True,
            )
            for member in members
            for key in _keys(member.account_id, traits_of(member))
        ]
        if writes:
            await self._former.bulk_write(writes, session=session)

    async def forget_former(self, members: Sequence[Membership], session: DbSession) -> None:
        """Note that these users, all of one account, are members again."""
        keys = [key for member in members for key in _keys(member.account_id, traits_of(member))]
        if keys:
            shard = shard_of(members[0].account_id)
            wanted = {"_id": {"$in": keys}, "shard": shard}
            await self._former.delete_many(wanted, session=session)

    async def former_member(
        self, account_id: AccountId, traits: PersonTraits, session: DbSession
    ) -> bool | None:
        """Whether the managers' log was told of a former member; `None`: they never were one."""
        rows = self._former.find(_rows(account_id, traits), session=session)
        found = [row async for row in rows]
        return all(row["told"] for row in found) if found else None

    async def note_told(
        self, account_id: AccountId, traits: PersonTraits, session: DbSession
    ) -> None:
        """Note that a refusal of a former member was recorded."""
        wanted = _rows(account_id, traits)
        await self._former.update_many(wanted, {"$set": {"told": True}}, session=session)

    async def is_told(
        self,
        account_id: AccountId,
        rule: ConnectionRule,
        problem: JoinProblem,
        session: DbSession,
    ) -> bool:
        """Whether the last refusal of the connection had this rule and this problem."""
        wanted = at(account_id, _refusal_key(account_id, rule))
        found = await self._refusals.find_one({**wanted, **_told(rule, problem)}, session=session)
        return found is not None

    async def save_refusal(
        self,
        account_id: AccountId,
        rule: ConnectionRule,
        problem: JoinProblem,
        session: DbSession,
    ) -> None:
        """Note the last refusal of the connection."""
        key = _refusal_key(account_id, rule)
        row = {"_id": key, **of_account(account_id), **_told(rule, problem)}
        await self._refusals.replace_one(at(account_id, key), row, upsert=True, session=session)

    async def forget_refusal(
        self, account_id: AccountId, rule: ConnectionRule, session: DbSession
    ) -> None:
        """Note that the rule works: its next problem is told again."""
        wanted = at(account_id, _refusal_key(account_id, rule))
        await self._refusals.delete_one(wanted, session=session)


def _told(rule: ConnectionRule, problem: JoinProblem) -> Document:
    return {"problem": problem.value, "role": rule.role, "set_by": rule.set_by}


def _refusal_key(account_id: AccountId, rule: ConnectionRule) -> str:
    return f"{account_id}/{rule.connection_id}"


def _rows(account_id: AccountId, traits: PersonTraits) -> Document:
    return {"_id": {"$in": _keys(account_id, traits)}, "shard": shard_of(account_id)}


def _keys(account_id: AccountId, traits: PersonTraits) -> list[str]:
    digest = sha256(f"{account_id}\0{traits.email_key}".encode()).hexdigest()[:_DIGITS]
    known = [traits.user_id, f"adr_{digest}", *traits.identities]
    return [f"{account_id}/{each}" for each in known]
