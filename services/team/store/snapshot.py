"""The rows that authz knows, as pages of the snapshot."""

from collections.abc import Callable

from services.team.domain.members import Membership
from services.team.domain.projects import Project
from services.team.store.accounts import read_account
from services.team.store.catalogs import CatalogRows
from services.team.store.overrides import read_override
from services.team.store.policy_documents import SLICES
from shared.contracts.policy_objects import PolicyObject
from shared.documents import read
from shared.journal.snapshot import invalid_cursor
from shared.mongo import Database, DbSession, Document, majority

PAGE_SIZE = 2_000
MAX_PLACE_DIGITS = 9

_POLICY_OBJECTS: tuple[tuple[str, Callable[[Document], PolicyObject]], ...] = (
    ("accounts", lambda row: read_account(row).policy_object()),
    ("members", lambda row: read(Membership, row).policy_object()),
    ("projects", lambda row: read(Project, row).policy_object()),
    ("overrides", lambda row: read_override(row).policy_object()),
)


class PolicySnapshot:
    """The policy objects of all accounts: the catalogs, then slice after slice of the rest."""

    def __init__(
        self, database: Database, catalogs: CatalogRows, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._collections = [
            (majority(database, name), policy_object_of)
            for name, policy_object_of in _POLICY_OBJECTS
        ]
        self._catalogs = catalogs
        self._page_size = page_size

    async def read(self, place: str, session: DbSession) -> tuple[list[PolicyObject], str | None]:
        """The objects of one page, and the place of the next one.

        Raises:
            Invalid: there is no such place.
        """
        at, after = _parse(place) if place else (0, "")
        items = [] if place else await self._catalogs.catalog_objects(session)
        full = len(items) + self._page_size
        while at < len(self._collections) * SLICES and len(items) < full:
            collection, policy_object_of = self._collections[at // SLICES]
            wanted = {"slice": at % SLICES, "key": {"$gt": after}}
            room = full - len(items)
            found = collection.find(wanted, session=session).sort("key", 1).limit(room)
            rows = await found.to_list(room)
            items += [policy_object_of(row).model_copy(update={"rev": row["rev"]}) for row in rows]
            at, after = (at, rows[-1]["key"]) if len(rows) == room else (at + 1, "")
        return items, f"{at}:{after}" if at < len(self._collections) * SLICES else None


def _parse(place: str) -> tuple[int, str]:
    at, _, after = place.partition(":")
    if not (at.isascii() and at.isdecimal() and len(at) <= MAX_PLACE_DIGITS):
        raise invalid_cursor()
    return int(at), after
