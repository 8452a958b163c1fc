"""The collection of signing keys."""

from datetime import timedelta

from services.identity.domain.signing_keys import KeyState, SealedKey
from shared.documents import changes, document, read
from shared.mongo import Database, DbSession, Document, insert_once, majority, update_expected

RETIRED_KEY_RETENTION = timedelta(days=1)


class SigningKeyRows:
    """Signing keys, sealed. The field `slot` of a document is the number of its key.

    The database deletes retired keys. Revoked ones stay.
    """

    def __init__(self, database: Database) -> None:
        self._keys = majority(database, "signing_keys")

    async def signing_keys(self, session: DbSession | None = None) -> list[SealedKey]:
        """Find every signing key."""
        found = self._keys.find({}, session=session)
        return [read(SealedKey, {**row, "number": row["slot"]}) async for row in found]

    async def insert_signing_key(self, key: SealedKey, session: DbSession) -> None:
        """Add a signing key.

        Raises:
            AlreadyThere: another replica has saved the key of this number.
        """
        row = document(key, delete_at=None)
        row["slot"] = row.pop("number")
        await insert_once(self._keys, row, session)

    async def update_signing_key(
        self, before: SealedKey, after: SealedKey, session: DbSession
    ) -> None:
        """Save a key over the state that was read.

        Raises:
            Lost: the key has changed since.
        """
        # A key of an earlier version has no state.
        expected: Document = {"_id": before.id, "state": {"$in": [before.state, None]}}
        kept = changes(after, delete_at=_delete_at(after))
        del kept["number"]
        await update_expected(self._keys, expected, {"$set": kept}, session)


def _delete_at(key: SealedKey) -> object:
    return key.since + RETIRED_KEY_RETENTION if key.state is KeyState.RETIRED else None
