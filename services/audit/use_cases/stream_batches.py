"""The next batch of a stream, read from the tree of its account."""

from rolecall.audit.sealed import encoded
from services.audit.domain.erasures import as_sealed
from services.audit.domain.exports import JsonExport
from services.audit.domain.sealed_records import shown_seal
from services.audit.domain.stream_batches import (
    MAX_RECORDS,
    StreamBatch,
    StreamLine,
    batch_of,
)
from services.audit.domain.streams import LogStream
from services.audit.domain.tails import TailPlace
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.proofs import inclusion_proofs
from services.audit.use_cases.tails import id_before


class SetBackError(Exception):
    """The place of a stream is not in the log of its account."""


async def next_batch(ctx: Ctx, stream: LogStream) -> StreamBatch | None:
    """The next records of a stream, with proofs to the newest checkpoint; `None` without any.

    Raises:
        SetBackError: the place of the stream is not in the log.
    """
    newest = await ctx.store.checkpoint(stream.account_id)
    await _require_place(ctx, stream)
    size = 0 if newest is None else newest.size
    indexes = range(stream.size, min(stream.size + MAX_RECORDS, size))
    if newest is None or not indexes:
        return None
    lines = await _lines(ctx, stream.account_id, indexes, size)
    return batch_of(stream, lines, size=size, checkpoint=newest.note, now=ctx.clock.now())


async def _require_place(ctx: Ctx, stream: LogStream) -> None:
    sealed = (await ctx.store.tree_sizes([stream.account_id]))[stream.account_id]
    # The id is not known once retention has deleted the record.
    before = await id_before(ctx, stream.account_id, stream.size)
    if stream.size > sealed or (before and stream.last and before != stream.last):
        raise SetBackError


async def _lines(ctx: Ctx, account_id: str, indexes: range, size: int) -> list[StreamLine]:
    """The lines of these records. One that retention has deleted is told by its hash."""
    found = await ctx.store.seals(account_id, first=indexes.start, limit=len(indexes))
    records = await ctx.store.with_ids(account_id, [seal.event_id for seal in found])
    if any(record.erased for record in records.values()):
        # A seal that was read before its record may have salts of values that are erased now.
        found = await ctx.store.seals(account_id, first=indexes.start, limit=len(indexes))
    seals = {seal.index: seal for seal in found}
    proofs = await inclusion_proofs(ctx, account_id, indexes, size)
    written, lines = JsonExport(), []
    for index in indexes:
        leaf, proof = proofs[index]
        seal = seals.get(index)
        record = None if seal is None else records.get(seal.event_id)
        place = TailPlace(index + 1, "" if seal is None else seal.event_id)
        if seal is None or record is None:
            told = {"index": index, "leaf": encoded(leaf), "proof": list(map(encoded, proof))}
            lines.append(StreamLine(text=written.hash_only(told), place=place, is_record=False))
        else:
            text = written.record(as_sealed(record, seal), shown_seal(seal, proof=proof))
            lines.append(StreamLine(text=text, place=place, is_record=True))
    return lines
