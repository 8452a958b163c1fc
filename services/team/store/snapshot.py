"""The snapshot that a replica of authz loads when it starts.

The heads are read before any row, every row carries its own `rev`, and the changes after the heads
follow from the journal. The pages therefore need no common transaction.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from services.team.domain.accounts import Account
from services.team.domain.members import Membership
from services.team.domain.projects import Project
from services.team.store.catalogs import CatalogRows
from services.team.store.overrides import read_override
from services.team.store.policy_documents import SLICES
from shared.contracts.calls.leases import SnapshotPage
from shared.contracts.facts import JournalHeads
from shared.contracts.policy_objects import PolicyObject
from shared.documents import read
from shared.mongo import Database, Document, majority
from shared.problems import Invalid

PAGE_SIZE = 2_000

_POLICY_OBJECTS: tuple[tuple[str, Callable[[Document], PolicyObject]], ...] = (
    ("accounts", lambda row: read(Account, row).policy_object()),
    ("members", lambda row: read(Membership, row).policy_object()),
    ("projects", lambda row: read(Project, row).policy_object()),
    ("overrides", lambda row: read_override(row).policy_object()),
)


class Snapshot:
    """The policy state of all accounts, page by page."""

    def __init__(
        self, database: Database, catalogs: CatalogRows, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._collections = [
            (majority(database, name), policy_object_of)
            for name, policy_object_of in _POLICY_OBJECTS
        ]
        self._catalogs = catalogs
        self._page_size = page_size

    async def first_page(self, *, source: str, heads: JournalHeads) -> SnapshotPage:
        """The catalogs, and the beginning of the rest; `heads` were read before this call."""
        items = await self._catalogs.catalog_objects()
        start = _write(epoch=heads.epoch, heads=heads.seqs, at=0, after="")
        page = await self.page(start, source=source)
        first = {"items": (*items, *page.items), "digests": heads.digests}
        return page.model_copy(update=first)

    async def page(self, cursor: str, *, source: str) -> SnapshotPage:
        """The page that a cursor names.

        Raises:
            Invalid: the cursor is not from a page of this snapshot.
        """
        epoch, heads, at, after = _read(cursor)
        items: list[PolicyObject] = []
        while at < len(self._collections) * SLICES and len(items) < self._page_size:
            collection, policy_object_of = self._collections[at // SLICES]
            wanted = {"slice": at % SLICES, "key": {"$gt": after}}
            room = self._page_size - len(items)
            rows = await collection.find(wanted).sort("key", 1).limit(room).to_list(room)
            items += [policy_object_of(row).model_copy(update={"rev": row["rev"]}) for row in rows]
            at, after = (at, rows[-1]["key"]) if len(rows) == room else (at + 1, "")
        more = at < len(self._collections) * SLICES
        return SnapshotPage(
            source=source,
            epoch=epoch,
            heads=heads,
            digests={},
            items=tuple(items),
            next_cursor=_write(epoch=epoch, heads=heads, at=at, after=after) if more else None,
        )


def _write(*, epoch: str, heads: Mapping[int, int], at: int, after: str) -> str:
    content: list[Any] = [epoch, dict(heads), at, after]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def _read(cursor: str) -> tuple[str, dict[int, int], int, str]:
    try:
        epoch, heads, at, after = json.loads(base64.urlsafe_b64decode(cursor))
        return (
            str(epoch),
            {int(shard): int(seq) for shard, seq in heads.items()},
            int(at),
            str(after),
        )
    except (ValueError, AttributeError, TypeError) as problem:
        message = "This is not a cursor of this route. Start again without a cursor."
        raise Invalid(errors=[("/query/cursor", message)]) from problem
