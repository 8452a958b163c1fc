"""The collection of signing keys."""

from services.identity.domain.signing_keys import SealedKey
from shared.documents import document, read
from shared.mongo import Database, DbSession, insert_once, majority


class SigningKeyRows:
    """Signing keys, sealed."""

    def __init__(self, database: Database) -> None:
        self._keys = majority(database, "signing_keys")

    async def signing_keys(self) -> list[SealedKey]:
        """Find every signing key."""
        return [read(SealedKey, row) async for row in self._keys.find({})]

    async def insert_signing_key(self, key: SealedKey, session: DbSession) -> None:
        """Add a signing key.

        Raises:
            AlreadyThere: another replica has filled this slot.
        """
        await insert_once(self._keys, document(key), session)
