"""The collection of second factors: one document for each user who has begun to add one."""

from collections.abc import Sequence
from dataclasses import replace

from services.identity.domain.mfa import PendingTotp, RecoveryCode, SecondFactors, Totp
from services.identity.domain.passkeys import Passkey
from services.identity.store.places import at
from shared.contracts.facts import shard_of
from shared.documents import changes, document
from shared.ids import UserId
from shared.mongo import (
    AlreadyThere,
    Database,
    DbSession,
    Document,
    Lost,
    insert_once,
    majority,
    update_expected,
)


class FactorRows:
    """Second factors of users."""

    def __init__(self, database: Database) -> None:
        self._factors = majority(database, "factors")

    async def factors(self, user_id: UserId, session: DbSession | None = None) -> SecondFactors:
        """Find the second factors of a user; who never had one has none, of version 0."""
        found = await self._factors.find_one(at(user_id, user_id), session=session)
        return SecondFactors(user_id=user_id) if found is None else _factors(found)

    async def factors_of_shards(
        self, shards: Sequence[int], *, after: str, limit: int, session: DbSession
    ) -> list[SecondFactors]:
        """Find the second factors of these shards by user id, after one; some have no factor."""
        wanted = {"shard": {"$in": list(shards)}, "_id": {"$gt": after}}
        found = self._factors.find(wanted, session=session).sort("_id", 1).limit(limit)
        return [_factors(row) async for row in found]

    async def update_factors(
        self, before: SecondFactors, after: SecondFactors, session: DbSession, *, rev: int
    ) -> None:
        """Save the factors over the version that was read; `rev` counts if they begin or end.

        Raises:
            Lost: another request has changed them since.
        """
        version = before.version + 1
        after = replace(after, rev=before.rev if before.exist is after.exist else rev)
        if before.version == 0:
            first = document(after, version=version, shard=shard_of(after.user_id))
            try:
                await insert_once(self._factors, {"_id": after.user_id, **first}, session)
            except AlreadyThere as there:
                raise Lost(self._factors.name) from there
            return
        expected = {**at(before.user_id, before.user_id), "version": before.version}
        change = {"$set": changes(after, version=version)}
        await update_expected(self._factors, expected, change, session)

    async def delete_factors(self, user_id: UserId, session: DbSession) -> None:
        """Delete the second factors of a user.

        The document is written first, also if there is none: of two transactions, one that is about
        to insert it starts again, and finds no user.
        """
        place = at(user_id, user_id)
        await self._factors.update_one(
            place, {"$inc": {"version": 1}}, upsert=True, session=session
        )
        await self._factors.delete_one(place, session=session)


def _factors(stored: Document) -> SecondFactors:
    totp, pending = stored["totp"], stored["pending"]
    return SecondFactors(
        user_id=UserId(stored["user_id"]),
        version=stored["version"],
        totp=None if totp is None else Totp(**totp),
        pending=None if pending is None else PendingTotp(**pending),
        codes=tuple(RecoveryCode(**code) for code in stored["codes"]),
        codes_made_at=stored.get("codes_made_at"),
        passkeys=tuple(Passkey(**one) for one in stored.get("passkeys", ())),
        rev=stored.get("rev", 0),
        began_at=stored.get("began_at"),
        beginnings=stored.get("beginnings", 0),
        taken_back=stored.get("taken_back", 0),
    )
