"""The pages of a snapshot are of one history, and each head can be checked."""

from typing import Any, cast

import pytest

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind
from shared.following.snapshot import LoadedSnapshot, read_snapshot
from shared.http.client import AnswerUnfit, InternalClient
from shared.problems import Unavailable
from tests.support.chains import digests_at

HEADS = {3: 7}


def page(number: int, **changes: Any) -> SnapshotPage:
    """One of three pages, with one object each."""
    session = PolicyObject(kind=PolicyObjectKind.SESSION, id=f"ses_{number}", rev=1, state=None)
    first = SnapshotPage(
        source="team",
        epoch="e1",
        heads=HEADS,
        digests=digests_at(HEADS) if number == 1 else {},
        items=(session,),
        next_cursor=str(number + 1) if number < 3 else None,
    )
    return first.model_copy(update=changes)


async def read(*pages: SnapshotPage) -> LoadedSnapshot:
    class Internal:
        async def call(
            self, call: Any, callee: str, query: SnapshotQuery, **limits: float
        ) -> SnapshotPage:
            assert (call, callee, limits) == (SNAPSHOT, "team", {"timeout": 5})
            return pages[int(query.cursor or "1") - 1]

    return await read_snapshot(cast("InternalClient", Internal()), "team", page_seconds=5)


async def test_a_snapshot_has_the_objects_of_all_pages_and_the_first_heads() -> None:
    snapshot = await read(page(1), page(2), page(3, heads={3: 9}))
    assert [each.id for each in snapshot.policy_objects] == ["ses_1", "ses_2", "ses_3"]
    assert (snapshot.epoch, snapshot.heads, snapshot.digests) == ("e1", HEADS, digests_at(HEADS))


@pytest.mark.parametrize("place", [2, 3])
async def test_pages_of_two_histories_are_refused(place: int) -> None:
    """The source was set back between two pages."""
    pages = [page(number, epoch="e2" if number == place else "e1") for number in (1, 2, 3)]
    with pytest.raises(Unavailable):
        await read(*pages)


@pytest.mark.parametrize("digests", [{}, digests_at({4: 7})], ids=["none", "of another shard"])
async def test_a_snapshot_with_a_head_without_its_digest_is_unfit(digests: dict[int, str]) -> None:
    with pytest.raises(AnswerUnfit):
        await read(page(1, digests=digests), page(2), page(3))
