"""The collections of linked identities, and of used sign-ins with issuers."""

from services.identity.domain.identities import LinkedIdentity
from services.identity.domain.passkeys import PasskeyChallenge
from services.identity.domain.sso_sign_in import SsoSignIn
from shared.documents import document, read
from shared.ids import IdentityId, UserId
from shared.mongo import Database, DbSession, insert_once, majority


class IdentityRows:
    """Linked identities are found by issuer and subject, before a user is known.

    They are therefore in no user's shard. Each has one document, as an address has.
    """

    def __init__(self, database: Database) -> None:
        self._identities = majority(database, "identities")
        self._used_sign_ins = majority(database, "used_sign_ins")

    async def identity(
        self, identity_id: IdentityId, session: DbSession | None = None
    ) -> LinkedIdentity | None:
        """Find an identity."""
        found = await self._identities.find_one({"_id": identity_id}, session=session)
        return None if found is None else read(LinkedIdentity, found)

    async def identities_of(
        self, user_id: UserId, session: DbSession | None = None
    ) -> list[LinkedIdentity]:
        """Find the identities of a user, the oldest first."""
        found = self._identities.find({"user_id": user_id}, session=session).sort("linked_at", 1)
        return [read(LinkedIdentity, row) async for row in found]

    async def insert_identity(self, row: LinkedIdentity, session: DbSession) -> None:
        """Add an identity.

        Raises:
            AlreadyThere: it is linked.
        """
        await insert_once(self._identities, document(row), session)

    async def delete_identity(self, row: LinkedIdentity, session: DbSession) -> None:
        """Delete an identity of its user."""
        wanted = {"_id": row.id, "user_id": row.user_id}
        await self._identities.delete_one(wanted, session=session)

    async def delete_identities_of(self, user_id: UserId, session: DbSession) -> None:
        """Delete every identity of a user."""
        await self._identities.delete_many({"user_id": user_id}, session=session)

    async def use_sign_in(self, sign_in: SsoSignIn | PasskeyChallenge) -> None:
        """Use up a sign-in or a challenge: of two answers at the same moment one wins.

        Raises:
            AlreadyThere: it was used before.
        """
        row = {"_id": sign_in.key, "delete_at": sign_in.ends_at}
        await insert_once(self._used_sign_ins, row)
