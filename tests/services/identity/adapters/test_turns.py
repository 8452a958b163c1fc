"""Tests of turns: who is served next, who is refused, and callers that give up."""

from __future__ import annotations

import asyncio

import pytest

from services.identity.adapters.turns import QueueFull, Turns


class Place:
    """A place whose holders leave when the test says so."""

    def __init__(self, *, max_waiting: int = 20) -> None:
        self.turns = Turns(max_waiting=max_waiting)
        self.served: list[int] = []
        self.leave = asyncio.Semaphore(0)

    async def hold(self, rank: int) -> None:
        async with self.turns.turn(rank=rank):
            self.served.append(rank)
            await self.leave.acquire()

    async def arrive(self, *ranks: int) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.hold(rank)) for rank in ranks]
        await settled()
        return tasks


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_lowest_rank_is_next_and_one_is_served_at_a_time() -> None:
    place = Place()
    tasks = await place.arrive(9, 5, 7, 1, 3)
    assert place.served == [9]
    for count in range(2, 6):
        place.leave.release()
        await settled()
        assert len(place.served) == count
    assert place.served == [9, 1, 3, 5, 7]
    place.leave.release()
    await asyncio.gather(*tasks)


async def test_of_equal_ranks_the_first_to_come_is_next() -> None:
    place = Place()
    tasks = await place.arrive(1, 1, 1)
    for task in tasks:
        assert not task.done()
        place.leave.release()
        await settled()
        assert task.done()


async def test_more_than_may_wait_are_refused() -> None:
    place = Place(max_waiting=2)
    tasks = await place.arrive(1, 2, 3, 4, 0)
    for late in (3, 2):  # the one that comes last in the order, each time
        with pytest.raises(QueueFull):
            await asyncio.wait_for(tasks[late], 5)
    for _ in range(3):
        place.leave.release()
    await asyncio.gather(tasks[0], tasks[1], tasks[4])
    assert place.served == [1, 0, 2]


async def test_a_caller_refused_while_it_gives_up_passes_no_place_on() -> None:
    place = Place(max_waiting=1)
    holding, waiting = await place.arrive(1, 2)
    newcomer = asyncio.create_task(place.hold(0))
    await asyncio.sleep(0)  # the newcomer has taken the other's place in the queue
    waiting.cancel()
    await settled()
    assert place.served == [1]
    place.leave.release()
    place.leave.release()
    await asyncio.gather(holding, newcomer)
    assert place.served == [1, 0]
    assert waiting.cancelled()


@pytest.mark.parametrize("rank", [0, 5])
async def test_a_newcomer_takes_the_place_of_a_caller_that_gave_up(rank: int) -> None:
    place = Place(max_waiting=1)
    holding, waiting = await place.arrive(1, 2)
    waiting.cancel()
    await settled()
    [newcomer] = await place.arrive(rank)
    for _ in range(2):
        place.leave.release()
    await asyncio.wait_for(asyncio.gather(holding, newcomer), 5)
    assert place.served == [1, rank]


async def test_a_newcomer_and_a_caller_that_gives_up_meet_at_one_moment() -> None:
    place = Place(max_waiting=1)
    holding, waiting = await place.arrive(1, 2)
    newcomer = asyncio.create_task(place.hold(0))  # comes before the other has seen its end
    waiting.cancel()
    await settled()
    for _ in range(2):
        place.leave.release()
    await asyncio.wait_for(asyncio.gather(holding, newcomer), 5)
    assert place.served == [1, 0]


@pytest.mark.parametrize("given_up", [(1,), (0, 1), (0,)])
async def test_a_caller_that_gives_up_keeps_the_place_from_no_one(
    given_up: tuple[int, ...],
) -> None:
    place = Place()
    tasks = await place.arrive(0, 1, 2)
    for number in given_up:
        tasks[number].cancel()
    for _ in tasks:
        place.leave.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, asyncio.CancelledError) == (number in given_up)
    # The first holds the place when it gives up.
    assert place.served == [0, *(number for number in (1, 2) if number not in given_up)]


async def test_a_place_given_to_a_caller_that_gives_up_goes_to_the_next() -> None:
    turns = Turns(max_waiting=20)
    holder = turns.turn(rank=0)
    await holder.__aenter__()

    async def take() -> None:
        async with turns.turn(rank=1):
            pass

    second, third = asyncio.create_task(take()), asyncio.create_task(take())
    await settled()
    await holder.__aexit__(None, None, None)  # hands over to the second, which has not run yet
    second.cancel()
    await asyncio.wait_for(third, 5)
    assert second.cancelled()


async def test_a_free_place_is_taken_at_once_again() -> None:
    place = Place()
    for _ in range(2):
        [task] = await place.arrive(4)
        place.leave.release()
        await task
    assert place.served == [4, 4]
