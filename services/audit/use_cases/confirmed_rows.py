"""Which rows audit does not need any more: those whose records have a leaf, or have none."""

from services.audit.domain.seal_gaps import LAST
from services.audit.store import Store
from shared.contracts.calls.journal import ConfirmedRows
from shared.contracts.facts import SHARDS

PAGE_GAPS = 500


async def sealed_rows(store: Store, source: str, applied: ConfirmedRows) -> ConfirmedRows:
    """Narrow the applied rows of a source to those before the first that waits for its leaf.

    A former epoch is held until all of it is sealed.
    """
    if applied.epoch is None:
        return applied
    sealed = await store.sealed_until(source, applied.epoch)
    places = {shard: min(seq, sealed.get(shard, 0)) for shard, seq in applied.places.items()}
    holds = {epoch for epoch in await store.epochs(source) if epoch != applied.epoch}
    holds = {epoch for epoch in holds if not _is_sealed(await store.sealed_until(source, epoch))}
    last = ""
    while page := await store.gaps(last, limit=PAGE_GAPS):
        for gap in page.values():
            if gap.source != source or await store.first_recorded(gap) is None:
                continue
            if gap.epoch != applied.epoch:
                holds.add(gap.epoch)
            elif gap.shard in places:
                places[gap.shard] = min(places[gap.shard], gap.first - 1)
        last = max(page)
    return applied.model_copy(update={"places": places, "holds": sorted(holds)})


def _is_sealed(until: dict[int, int]) -> bool:
    return all(until.get(shard, 0) >= LAST for shard in range(SHARDS))
