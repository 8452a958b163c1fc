"""The rows of audit's own journal, those of former epochs, too."""

from shared.auth.row_signatures import SignedRow
from shared.contracts.facts import Position
from shared.journal import KEPT, rows
from shared.mongo import Database, majority


class OwnRows:
    """The collections `journal` and `journal_before_restore`."""

    def __init__(self, database: Database) -> None:
        self._own_rows = majority(database, "journal")
        self._former_own_rows = majority(database, KEPT)

    async def own_row(self, place: Position) -> SignedRow | None:
        """The row at a place, as it is stored: its signature is not checked."""
        key = rows.key(place)
        for collection, each in (
            (self._own_rows, key),
            (self._former_own_rows, f"{place.epoch}.{key}"),
        ):
            found = await collection.find_one({"_id": each})
            if found is not None and (signed := rows.read(found)).row.position == place:
                return signed
        return None
