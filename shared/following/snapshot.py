"""The reading of a source's snapshot into the view of a replica, page by page."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.following.journal_view import JournalView
from shared.http.client import AnswerUnfit, InternalClient
from shared.problems import Unavailable


async def load_snapshot(
    internal: InternalClient, source: str, view: JournalView, *, page_seconds: float
) -> int:
    """Read all pages, each within `page_seconds`, and take each as it comes.

    A page is gone before the next one is read, so that a start needs little more memory than the
    state itself.

    Returns:
        The number of policy objects.

    Raises:
        AnswerUnfit: a head has no digest, so no row could be checked against it.
        Unavailable: the source cannot be read, its epoch changed between two pages, or the view has
            forgotten everything meanwhile.
        HistoryForked: as `JournalView.load`.
    """

    async def page_at(cursor: str | None) -> SnapshotPage:
        query = SnapshotQuery(cursor=cursor)
        return await internal.call(SNAPSHOT, source, query, timeout=page_seconds)

    with _without_collections():
        number = view.begin_load()
        first = page = await page_at(None)
        if first.digests.keys() != first.heads.keys():
            raise AnswerUnfit
        count = 0
        while True:
            if page.epoch != first.epoch or not view.load_page(number, page.items):
                raise Unavailable
            count += len(page.items)
            if page.next_cursor is None:
                break
            page = await page_at(page.next_cursor)
        view.load(epoch=first.epoch, heads=first.heads, digests=first.digests, policy_objects=())
    return count


@contextmanager
def _without_collections() -> Iterator[None]:
    """Do not look for garbage meanwhile: it would look at the growing state again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
