"""Saved searches: list, save, change, delete."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel

from services.audit.domain import saved_searches
from services.audit.domain.saved_searches import SavedSearch, SearchChange, require_room
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.http.preconditions import Precondition
from shared.ids import AccountId, SearchId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound

T = TypeVar("T")

MayChange = Callable[[], Awaitable[None]]
"""Raises a refusal if the caller may not change what others have shared."""


async def list_searches(ctx: Ctx, account_id: AccountId, user_id: UserId) -> list[SavedSearch]:
    """List the searches that a reader sees: their own, and shared ones; the oldest first."""
    own = await ctx.store.searches_of(account_id, user_id)
    shared = await ctx.store.shared_searches(account_id)
    seen = {search.id: search for search in (*own, *shared)}
    return [seen[each] for each in sorted(seen)]


async def show_search(
    ctx: Ctx, account_id: AccountId, search_id: SearchId, *, user_id: UserId
) -> SavedSearch:
    """Return a search that a reader sees.

    Raises:
        NotFound: there is none with this id for them.
    """
    return _seen(await ctx.store.saved_search(account_id, search_id), user_id)


async def save_search(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    *,
    user_id: UserId,
    name: str,
    filters: Mapping[str, str],
    shared: bool,
    guard: IdempotencyGuard | None,
    answer: Callable[[SavedSearch], BaseModel],
) -> WriteResult[SavedSearch]:
    """Save a search.

    Raises:
        TooManySearches.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    search_id = SearchId(new_id("sch"))

    async def change(write: JournalWrite) -> SavedSearch:
        search = SavedSearch(
            id=search_id,
            account_id=account_id,
            created_by=user_id,
            created_at=write.now,
            name=name,
            filters=filters,
            shared=shared,
        )
        await _require_room(ctx, search, None, write)
        await ctx.store.add_search(search, write.session)
        write.record(saved_searches.created(search))
        if guard is not None:
            await guard.keep_answer(write.session, answer(search))
        return search

    return await _write(ctx, caller, account_id, change, guard)


async def change_search(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    search_id: SearchId,
    *,
    user_id: UserId,
    wanted: SearchChange,
    may_change: MayChange,
    precondition: Precondition | None,
) -> WriteResult[SavedSearch]:
    """Change a search of one's own, or a shared one that the caller may change.

    Raises:
        NotFound: there is none with this id for the caller.
        PermissionMissing: another member has shared it.
        TooManySearches: the account has as many shared ones as it may.
        PreconditionFailed: it is not in the state that the request was made for.
    """
    await _require_right(ctx, account_id, search_id, user_id, may_change)

    async def change(write: JournalWrite) -> SavedSearch:
        current = _seen(await ctx.store.saved_search(account_id, search_id, write.session), user_id)
        after, fact = saved_searches.changed(current, wanted)
        if precondition is not None:
            precondition.require(current, applied=fact is None)
        if fact is not None:
            await _require_room(ctx, after, current, write)
            await ctx.store.update_search(current, after, write.session)
            write.record(fact)
        return after

    return await _write(ctx, caller, account_id, change, None)


async def delete_search(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    search_id: SearchId,
    *,
    user_id: UserId,
    may_change: MayChange,
    precondition: Precondition | None,
) -> WriteResult[None]:
    """Delete a search of one's own, or a shared one that the caller may change.

    Raises:
        NotFound: there is none with this id for the caller.
        PermissionMissing: another member has shared it.
        PreconditionFailed: it is not in the state that the request was made for.
    """
    await _require_right(ctx, account_id, search_id, user_id, may_change)

    async def change(write: JournalWrite) -> None:
        current = _seen(await ctx.store.saved_search(account_id, search_id, write.session), user_id)
        if precondition is not None:
            precondition.require(current)
        await ctx.store.delete_search(current, write.session)
        write.record(saved_searches.deleted(current))

    return await _write(ctx, caller, account_id, change, None)


async def _require_right(
    ctx: Ctx, account_id: AccountId, search_id: SearchId, user_id: UserId, may_change: MayChange
) -> None:
    """Check that the caller may change a search; its maker never becomes another one."""
    found = await show_search(ctx, account_id, search_id, user_id=user_id)
    if found.created_by != user_id:
        await may_change()


async def _require_room(
    ctx: Ctx, search: SavedSearch, before: SavedSearch | None, write: JournalWrite
) -> None:
    own = await ctx.store.searches_of(search.account_id, search.created_by, write.session)
    shared = await ctx.store.shared_searches(search.account_id, write.session)
    require_room(search, of_member=len(own), shared=len(shared), before=before)


async def _write(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    change: Callable[[JournalWrite], Awaitable[T]],
    guard: IdempotencyGuard | None,
) -> WriteResult[T]:
    take_key = None if guard is None else guard.take_key
    return await write_named(ctx, account_id, change, caller=caller, guard=take_key)


def _seen(found: SavedSearch | None, user_id: UserId) -> SavedSearch:
    if found is None or not found.is_seen_by(user_id):
        raise NotFound
    return found
