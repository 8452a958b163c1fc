"""The collection of signing keys."""

from services.identity.domain.signing_keys import SealedKey
from shared.documents import document, read
from shared.mongo import Database, DbSession, Document, insert_once, majority


class SigningKeyRows:
    """Signing keys, sealed. The field `slot` of a document is the number of its key."""

    def __init__(self, database: Database) -> None:
        self._keys = majority(database, "signing_keys")

    async def signing_keys(self) -> list[SealedKey]:
        """Find every signing key."""
        return [
            read(SealedKey, {**row, "number": row["slot"]}) async for row in self._keys.find({})
        ]

    async def insert_signing_key(self, key: SealedKey, session: DbSession) -> None:
        """Add a signing key.

        Raises:
            AlreadyThere: another replica has saved the key of this number.
        """
        await insert_once(self._keys, _document(key), session)


def _document(key: SealedKey) -> Document:
    row = document(key)
    row["slot"] = row.pop("number")
    return row
