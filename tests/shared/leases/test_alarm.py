"""The bell of a running process: a ring ends one pause, and only one."""

import asyncio

from shared.leases.alarm import Bell


async def test_a_ring_ends_the_next_pause_and_not_the_one_after_it():
    bell = Bell()
    bell.ring()
    async with asyncio.timeout(30):
        await bell.wait(3600)
    pause = asyncio.create_task(bell.wait(3600))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not pause.done(), "the ring is used up"
    bell.ring()
    async with asyncio.timeout(30):
        await pause


async def test_a_pause_without_a_ring_ends_after_its_time():
    async with asyncio.timeout(30):
        await Bell().wait(0.001)
