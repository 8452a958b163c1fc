"""The pages of a snapshot are of one history, and each head can be checked."""

import gc
from collections.abc import Callable
from typing import Any, cast

import pytest

from shared.contracts.calls.leases import SNAPSHOT, SnapshotPage, SnapshotQuery
from shared.following.journal_view import JournalView
from shared.following.sign_in_state import SignInState
from shared.following.snapshot import load_snapshot
from shared.http.client import InternalClient
from shared.http.internal_answers import AnswerUnfit
from shared.problems import Unavailable
from tests.services.authz.histories import ended
from tests.support.chains import digests_at

HEADS = {3: 7}


def page(number: int, **changes: Any) -> SnapshotPage:
    """One of three pages, with one object each."""
    first = SnapshotPage(
        source="identity",
        epoch="e1",
        heads=HEADS,
        digests=digests_at(HEADS) if number == 1 else {},
        items=(ended(f"ses_{number}").model_copy(update={"rev": 1}),),
        next_cursor=str(number + 1) if number < 3 else None,
    )
    return first.model_copy(update=changes)


class Loading:
    """The loading of some pages; `before` runs when a page of that number is asked for."""

    def __init__(self) -> None:
        self.state = SignInState()
        self.view = JournalView(self.state)
        self.before: dict[int, Callable[[], object]] = {}

    async def read(self, *pages: SnapshotPage) -> int:
        before = self.before

        class Internal:
            async def text(
                self, call: Any, callee: str, query: SnapshotQuery, **limits: float
            ) -> bytes:
                assert (call, callee, limits) == (SNAPSHOT, "identity", {"timeout": 5})
                number = int(query.cursor or "1")
                before.get(number, lambda: None)()
                return pages[number - 1].model_dump_json().encode()

        client = cast("InternalClient", Internal())
        return await load_snapshot(client, "identity", self.view, page_seconds=5)

    def known(self) -> list[int]:
        """The numbers of the pages whose session is known."""
        return [number for number in range(9) if self.state.session_ended(f"ses_{number}")]


async def test_a_snapshot_has_the_objects_of_all_pages_and_the_first_heads() -> None:
    loading = Loading()
    assert await loading.read(page(1), page(2), page(3, heads={3: 9})) == 3
    assert loading.known() == [1, 2, 3]
    view = loading.view
    assert (view.loaded, view.epoch, view.applied) == (True, "e1", HEADS)
    assert view.ask(0.0).digests == digests_at(HEADS)


@pytest.mark.parametrize("place", [2, 3])
async def test_pages_of_two_histories_are_refused(place: int) -> None:
    """The source was set back between two pages."""
    loading = Loading()
    pages = [page(number, epoch="e2" if number == place else "e1") for number in (1, 2, 3)]
    with pytest.raises(Unavailable):
        await loading.read(*pages)
    assert not loading.view.loaded


@pytest.mark.parametrize("digests", [{}, digests_at({4: 7})], ids=["none", "of another shard"])
async def test_a_snapshot_with_a_head_without_its_digest_is_unfit(digests: dict[int, str]) -> None:
    with pytest.raises(AnswerUnfit):
        await Loading().read(page(1, digests=digests), page(2), page(3))


async def test_nothing_of_a_snapshot_that_broke_off_is_in_the_next_one() -> None:
    loading = Loading()
    with pytest.raises(Unavailable):
        await loading.read(page(1), page(2), page(3, epoch="e2"))
    assert not loading.view.holds(0.0)
    await loading.read(page(4, digests=digests_at(HEADS)))
    assert loading.known() == [4]


@pytest.mark.parametrize("place", [2, 3])
async def test_pages_after_all_was_forgotten_are_not_taken(place: int) -> None:
    """A part of a snapshot would be a state in which objects are missing."""
    loading = Loading()
    loading.before[place] = loading.view.forget
    with pytest.raises(Unavailable):
        await loading.read(page(1), page(2), page(3))
    assert (loading.known(), loading.view.loaded) == ([], False)


async def test_pages_of_a_snapshot_are_not_taken_after_another_began() -> None:
    loading = Loading()
    loading.before[2] = loading.view.begin_load
    with pytest.raises(Unavailable):
        await loading.read(page(1), page(2), page(3))
    assert (loading.known(), loading.view.loaded) == ([], False)


async def test_a_page_is_asked_for_while_the_one_before_is_taken() -> None:
    loading = Loading()
    known: list[list[int]] = []
    loading.before = dict.fromkeys((1, 2, 3), lambda: known.append(loading.known()))
    await loading.read(page(1), page(2), page(3))
    assert known == [[], [], [1]]


@pytest.mark.parametrize("epoch", ["e1", "e2"], ids=["whole", "cut"])
async def test_the_collector_runs_again_after_a_snapshot(epoch: str) -> None:
    loading = Loading()
    seen: list[bool] = []
    loading.before[2] = lambda: seen.append(gc.isenabled())
    assert gc.isenabled()
    try:
        await loading.read(page(1), page(2), page(3, epoch=epoch))
    except Unavailable:
        assert epoch == "e2"
    assert (seen, gc.isenabled()) == ([False], True)
