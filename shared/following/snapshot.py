"""The reading of a source's snapshot into the view of a replica, page by page."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.following.journal_view import JournalView
from shared.http.client import AnswerUnfit, InternalClient
from shared.problems import Unavailable

REQUEST_SECONDS = 0.001
"""The time in which the request of a page leaves, before the page before it takes the loop."""


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
        first = await page_at(None)
        if first.digests.keys() != first.heads.keys():
            raise AnswerUnfit
        count = 0
        async with aclosing(_pages(first, page_at)) as pages:
            async for page in pages:
                if page.epoch != first.epoch or not view.load_page(number, page.items):
                    raise Unavailable
                count += len(page.items)
        view.load(epoch=first.epoch, heads=first.heads, digests=first.digests, policy_objects=())
    return count


async def _pages(
    first: SnapshotPage, page_at: Callable[[str], Coroutine[Any, Any, SnapshotPage]]
) -> AsyncGenerator[SnapshotPage, None]:
    """All pages; the source makes the next one while the reader takes this one."""
    page = first
    while page.next_cursor is not None:
        following = asyncio.create_task(page_at(page.next_cursor))
        try:
            await asyncio.sleep(REQUEST_SECONDS)
            yield page
            page = await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    yield page


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
