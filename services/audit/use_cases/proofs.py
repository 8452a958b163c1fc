"""What proves the audit log to its readers: checkpoints, proofs, and records with their seals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from rolecall.audit.sealed import encoded
from rolecall.audit.trees import HashOf, Range, consistency_parts, siblings
from rolecall.audit.walk import Walk
from services.audit.domain.erasures import as_sealed
from services.audit.domain.records import Filters
from services.audit.domain.sealed_records import Form, account_of, export_line, sealed_form
from services.audit.domain.tiles import hashes_in, tiles_of
from services.audit.store.trees import StoredCheckpoint
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.search import record_reading
from shared.contracts.facts import Caller
from shared.problems import Invalid, NotFound

PAGE_RECORDS = 200
"""The records of one page of an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Where a record is in the tree of `size` leaves, and the proof; `None` if it is not there."""

    size: int
    index: int | None = None
    leaf: bytes = b""
    hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPage:
    """Neighbouring records of a tree of `size` leaves, as lines of an export."""

    size: int
    lines: tuple[Form, ...]
    next_first: int | None
    """The first record of the next page."""


async def newest_checkpoint(ctx: Ctx, account_id: str) -> StoredCheckpoint | None:
    """The newest checkpoint of an account's log; `None` before the first one."""
    return await ctx.store.checkpoint(account_id)


async def prove_inclusion(ctx: Ctx, account_id: str, event_id: str, size: int | None) -> Inclusion:
    """Prove that a record is in the account's log of `size` records, by default the newest.

    Raises:
        NotFound: the account has no such record.
        Invalid: the log has no checkpoint of that size or a larger one.
    """
    size = await sealed_size(ctx, account_id, size)
    if await ctx.store.find(account_id, event_id) is None:
        raise NotFound
    seal = await ctx.store.seal(event_id)
    if seal is None or seal.index >= size:
        return Inclusion(size=size)
    own, beside = (seal.index, seal.index + 1), siblings(seal.index, (0, size))
    hash_of = await _hashes(ctx, account_id, [own, *beside])
    return Inclusion(
        size=size,
        index=seal.index,
        leaf=hash_of(own),
        hashes=tuple(map(hash_of, beside)),
    )


async def prove_consistency(
    ctx: Ctx, account_id: str, from_size: int, size: int | None
) -> tuple[int, list[bytes]]:
    """Prove that the log of `size` records, by default the newest, begins with an earlier one.

    Returns:
        The size that the proof leads to, and its hashes.

    Raises:
        Invalid: the log has no checkpoint of that size, or `from_size` is larger.
    """
    size = await sealed_size(ctx, account_id, size)
    if from_size > size:
        message = f"Must be at most the size that the proof leads to, {size}"
        raise Invalid(errors=[("/query/from_size", message)])
    parts = consistency_parts(from_size, size)
    hash_of = await _hashes(ctx, account_id, parts)
    return size, list(map(hash_of, parts))


async def sealed_page(
    ctx: Ctx, caller: Caller, account_id: str, *, first: int, size: int | None
) -> SealedPage:
    """Records with their seals, from the `first` on, in the order of the tree.

    The lines of all pages of one size are an export that `rolecall audit verify` reads. The reading
    is recorded. Operators read the tree `platform`, of the records without an account.

    Raises:
        Invalid: the log has no checkpoint of that size or a larger one, or its records have ended
            and it is too small to say so.
    """
    size = await sealed_size(ctx, account_id, size)
    await require_told_end(ctx, account_id, size)
    await record_reading(ctx, caller, account_id, filters=Filters())
    walk = Walk(size)
    if 0 < first <= size:
        walk.to(first - 1)
    ways = {index: walk.to(index)[1] for index in range(first, min(first + PAGE_RECORDS, size))}
    needed = [part for index, way in ways.items() for part in ((index, index + 1), *way)]
    hash_of = await _hashes(ctx, account_id, needed)
    stored = await ctx.store.seals(account_id, first=first, limit=len(ways))
    records = await ctx.store.with_ids(account_of(account_id), [seal.event_id for seal in stored])
    if any(record.erased for record in records.values()):
        # A seal that was read before its record may have salts of values that are erased now.
        stored = await ctx.store.seals(account_id, first=first, limit=len(ways))
    seals = {seal.index: seal for seal in stored}
    lines = tuple(
        export_line(sealed_form(as_sealed(record, seal)), seal, list(map(hash_of, way)))
        if (seal := seals.get(index)) and (record := records.get(seal.event_id))
        else _hash_only(index, way, hash_of)
        for index, way in ways.items()
    )
    end = first + len(lines)
    return SealedPage(size=size, lines=lines, next_first=end if lines and end < size else None)


async def inclusion_proofs(
    ctx: Ctx, account_id: str, indexes: Sequence[int], size: int
) -> dict[int, tuple[bytes, list[bytes]]]:
    """The leaves at these places of the tree of `size` records, with the proofs of inclusion."""
    ways = {index: siblings(index, (0, size)) for index in indexes}
    leaves = [(index, index + 1) for index in indexes]
    hash_of = cache(await _hashes(ctx, account_id, {*leaves, *chain(*ways.values())}))
    return {
        index: (hash_of((index, index + 1)), list(map(hash_of, way))) for index, way in ways.items()
    }


def _hash_only(index: int, way: list[Range], hash_of: HashOf) -> Form:
    """The line of a record that is not kept any more."""
    path = [encoded(hash_of(each)) for each in way]
    leaf = encoded(hash_of((index, index + 1)))
    return {"seal": {"index": index, "leaf": leaf, "path": path}}


async def sealed_size(ctx: Ctx, account_id: str, size: int | None) -> int:
    """The size of the log that an answer is about: the given one, by default the newest.

    Raises:
        Invalid: the log has no checkpoint of that size or a larger one.
    """
    newest = await newest_checkpoint(ctx, account_id)
    sealed = 0 if newest is None else newest.size
    if size is not None and size > sealed:
        message = f"Must be at most the size of the newest checkpoint, {sealed}"
        raise Invalid(errors=[("/query/size", message)])
    return sealed if size is None else size


async def require_told_end(ctx: Ctx, account_id: str, size: int) -> None:
    """Check that the log of this size says which of its records have ended, if any have.

    Raises:
        Invalid: it is too small.
    """
    endings = await ctx.store.endings(account_id)
    if endings.until and size <= endings.told_at:
        message = (
            f"Must be at least {endings.told_at + 1}: records have ended, and a smaller log does"
            " not say so"
        )
        raise Invalid(errors=[("/query/size", message)])


async def _hashes(ctx: Ctx, tree: str, ranges: Iterable[Range]) -> HashOf:
    """The hashes of these subtrees of a tree."""
    found = await ctx.store.tiles((tree, tile) for tile in tiles_of(ranges))
    return hashes_in({tile: nodes for (_, tile), nodes in found.items()})
