"""The rows that authz knows, as pages of the snapshot."""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from services.team.domain.projects import Project
from services.team.store.accounts import read_account
from services.team.store.catalogs import CatalogRows
from services.team.store.overrides import read_override
from services.team.store.resources import read_resource
from shared.contracts.facts import SHARDS
from shared.contracts.policy_objects import MemberObject, PolicyObject, PolicyObjectKind
from shared.contracts.structures import structure_of
from shared.documents import read
from shared.journal.snapshot import SnapshotItem, invalid_cursor
from shared.mongo import Database, DbSession, Document, majority

PAGE_SIZE = 4_000
MAX_PLACE_DIGITS = 9
CATALOGS = "catalogs:"
CATALOG_PAGE = 20
"""A catalog has 64 KiB at most."""
SHARDS_AT_ONCE = 4
"""The shards of one query. With more it sorts more matches; with fewer there are more queries."""

_PARTS: tuple[tuple[int | None, ...], ...] = (
    (None,),
    *(tuple(range(first, first + SHARDS_AT_ONCE)) for first in range(0, SHARDS, SHARDS_AT_ONCE)),
)
"""The parts of a collection. Documents without a shard, which a replica of an earlier version has
written, come first: when they get their number between two pages, they are read again, not lost."""


_MEMBER = structure_of(MemberObject)
_MEMBER_KIND = PolicyObjectKind.MEMBER


class SnapshotMember(Struct, gc=False):
    """A member, as the `PolicyObject` of `member_object` tells them; `state` is a structure."""

    kind: PolicyObjectKind
    id: str
    account_id: str
    rev: int
    state: Struct


def snapshot_member(row: Document) -> SnapshotMember:
    """A member as `member_object` tells them, in a tenth of the time: there may be a million.

    Only `_MEMBER_FIELDS` were read of the row.
    """
    state = msgspec.convert(row, _MEMBER)
    return SnapshotMember(_MEMBER_KIND, row["user_id"], row["account_id"], row["rev"], state)


def _with_rev(policy_object: PolicyObject, row: Document) -> PolicyObject:
    return policy_object.model_copy(update={"rev": row["rev"]})


_MEMBER_FIELDS = ("account_id", "user_id", "rev", *MemberObject.model_fields)
_POLICY_OBJECTS: tuple[
    tuple[str, Sequence[str] | None, Callable[[Document], SnapshotItem]], ...
] = (
    ("accounts", None, lambda row: _with_rev(read_account(row).policy_object(), row)),
    ("members", _MEMBER_FIELDS, snapshot_member),
    ("projects", None, lambda row: _with_rev(read(Project, row).policy_object(), row)),
    ("overrides", None, lambda row: _with_rev(read_override(row).policy_object(), row)),
    ("resources", None, lambda row: _with_rev(read_resource(row).policy_object(), row)),
)
"""Each collection, the fields that are read of its rows (`None`: all), and what they become."""


class PolicySnapshot:
    """The policy objects of all accounts: the catalogs, then part after part of the rest.

    Catalogs are large, so they have pages of their own.
    """

    def __init__(
        self, database: Database, catalogs: CatalogRows, *, page_size: int = PAGE_SIZE
    ) -> None:
        self._collections = [
            (majority(database, name), names, policy_object_of)
            for name, names, policy_object_of in _POLICY_OBJECTS
        ]
        self._catalogs = catalogs
        self._page_size = page_size

    async def read(
        self, place: str, session: DbSession, *, shards: frozenset[int] | None = None
    ) -> tuple[list[SnapshotItem], str | None]:
        """The objects of one page, and the place of the next one; of accounts only these shards.

        Raises:
            Invalid: there is no such place.
        """
        if not place or place.startswith(CATALOGS):
            after = place.removeprefix(CATALOGS)
            objects = await self._catalogs.catalog_objects(session, after=after, limit=CATALOG_PAGE)
            more = len(objects) == CATALOG_PAGE
            return [*objects], f"{CATALOGS}{objects[-1].id}" if more else "shards:0:"
        at, after = _parse(place)
        items: list[SnapshotItem] = []
        full = self._page_size
        end = len(self._collections) * len(_PARTS)
        while at < end and len(items) < full:
            part = _within(_PARTS[at % len(_PARTS)], shards)
            if not part:
                at, after = at + 1, ""
                continue
            collection, names, policy_object_of = self._collections[at // len(_PARTS)]
            wanted = {"shard": {"$in": part}, "_id": {"$gt": after}}
            room = full - len(items)
            found = collection.find(wanted, names, session=session).sort("_id", 1).limit(room)
            rows = await found.to_list(room)
            items += map(policy_object_of, rows)
            at, after = (at, rows[-1]["_id"]) if len(rows) == room else (at + 1, "")
        return items, f"shards:{at}:{after}" if at < end else None


def _within(part: tuple[int | None, ...], shards: frozenset[int] | None) -> tuple[int | None, ...]:
    """What of a part is read; which shard a document without a number is of is not known."""
    if shards is None:
        return part
    return tuple(each for each in part if each is None or each in shards)


def _parse(place: str) -> tuple[int, str]:
    """Read a place. That of an earlier version is refused: the reader then begins again."""
    kind, _, rest = place.partition(":")
    at, _, after = rest.partition(":")
    if not (kind == "shards" and at.isascii() and at.isdecimal() and len(at) <= MAX_PLACE_DIGITS):
        raise invalid_cursor()
    return int(at), after
