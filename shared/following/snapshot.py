"""The reading of a source's snapshot, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject
from shared.http.client import AnswerUnfit, InternalClient
from shared.problems import Unavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedSnapshot:
    """The policy state of a source, and the heads that were read before any of it."""

    epoch: str
    heads: Mapping[int, int]
    digests: Mapping[int, str]
    policy_objects: list[PolicyObject]


async def read_snapshot(
    internal: InternalClient, source: str, *, page_seconds: float
) -> LoadedSnapshot:
    """Read all pages, each within `page_seconds`.

    Raises:
        AnswerUnfit: a head has no digest, so no row could be checked against it.
        Unavailable: the source cannot be read, or its epoch changed between two pages.
    """

    async def page_at(cursor: str | None) -> SnapshotPage:
        query = SnapshotQuery(cursor=cursor)
        return await internal.call(SNAPSHOT, source, query, timeout=page_seconds)

    first = page = await page_at(None)
    if first.digests.keys() != first.heads.keys():
        raise AnswerUnfit
    policy_objects = list(first.items)
    while page.next_cursor is not None:
        page = await page_at(page.next_cursor)
        if page.epoch != first.epoch:
            raise Unavailable
        policy_objects += page.items
    return LoadedSnapshot(
        epoch=first.epoch,
        heads=first.heads,
        digests=first.digests,
        policy_objects=policy_objects,
    )
