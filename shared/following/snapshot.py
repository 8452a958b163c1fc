"""The reading of a source's snapshot into the view of a replica, page by page."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any, cast

import msgspec
from msgspec import Struct

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject
from shared.contracts.structures import PageStructure, PolicyStructure
from shared.following.journal_view import JournalView
from shared.http.client import InternalClient
from shared.http.internal_answers import AnswerUnfit, read_answer
from shared.problems import Unavailable

REQUEST_SECONDS = 0.001
"""The time in which the request of a page leaves, before the page before it takes the loop."""


async def load_snapshot(
    internal: InternalClient,
    source: str,
    view: JournalView,
    *,
    page_seconds: float,
    shards: str | None = None,
) -> int:
    """Read all pages, each within `page_seconds`, and take each as it comes.

    With `shards`, a mask, the source may leave the accounts of others out.

    A page is gone before the next one is read, so that a start needs little more memory than the
    state itself.

    Returns:
        The number of policy objects.

    Raises:
        AnswerUnfit: a text is not a page, or a head has no digest, so no row could be checked
            against it.
        Unavailable: the source cannot be read, its epoch changed between two pages, or the view has
            forgotten everything meanwhile.
        HistoryForked: as `JournalView.load`.
    """

    async def text_at(cursor: str | None) -> bytes:
        query = SnapshotQuery(cursor=cursor, shards=shards)
        return await internal.text(SNAPSHOT, source, query, timeout=page_seconds)

    with _without_collections():
        number = view.begin_load()

        def take(page: Page) -> int:
            # A structure is read as the class of the contract: it has the same members.
            items = cast("Sequence[PolicyObject]", page.items)
            if page.epoch != first.epoch or not view.load_page(number, items):
                raise Unavailable
            return len(items)

        async with aclosing(_texts(text_at)) as texts:
            first = _read(source, await anext(texts))
            if first.digests.keys() != first.heads.keys():
                raise AnswerUnfit
            count = take(first)
            async for text in texts:
                count += take(_read(source, text))
        view.load(epoch=first.epoch, heads=first.heads, digests=first.digests, policy_objects=())
    return count


Page = PageStructure[PolicyStructure] | SnapshotPage
_PAGE = msgspec.json.Decoder(PageStructure[PolicyStructure])


def _read(source: str, text: bytes) -> Page:
    """Read a page, in a fifth of the time that the class of the contract takes.

    What the structure does not take is left to that class, which logs where it is unfit.

    Raises:
        AnswerUnfit: the text is not a page.
    """
    try:
        return _PAGE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return read_answer(SNAPSHOT, source, text)


class _Next(Struct):
    """What leads from a page to the next one."""

    next_cursor: str | None


_NEXT = msgspec.json.Decoder(_Next)


async def _texts(
    text_at: Callable[[str | None], Coroutine[Any, Any, bytes]],
) -> AsyncGenerator[bytes, None]:
    """The texts of all pages; the source makes the next one while the reader takes this one.

    Reading a page takes as long as making one. Its cursor is therefore read before the rest.

    Raises:
        AnswerUnfit: a text is not a page.
    """
    text = await text_at(None)
    while (cursor := _next_cursor(text)) is not None:
        following = asyncio.create_task(text_at(cursor))
        try:
            await asyncio.sleep(REQUEST_SECONDS)
            yield text
            text = await following
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    yield text


def _next_cursor(text: bytes) -> str | None:
    try:
        return _NEXT.decode(text).next_cursor
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AnswerUnfit from None


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
