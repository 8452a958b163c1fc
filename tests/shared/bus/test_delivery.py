"""The lanes of a subscription: their number does not grow with what a message claims."""

import asyncio
from dataclasses import replace

import pytest

from shared.bus import BusMessage, Verdict
from shared.bus.delivery import Lanes
from shared.contracts.facts import SHARDS
from tests.shared.bus.listener import message

FIRST = message(1, shard=7)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (FIRST, replace(FIRST, shard=7 + SHARDS)),
        (replace(FIRST, source="one"), replace(FIRST, source="other")),
    ],
    ids=["a shard that no journal has", "sources that are none"],
)
async def test_invented_places_make_no_lanes_of_their_own(one: BusMessage, other: BusMessage):
    release, handled = asyncio.Event(), []

    async def handler(given: BusMessage) -> Verdict:
        handled.append(given)
        await release.wait()
        return Verdict.ACK

    lanes = Lanes("tests", handler)
    running = [asyncio.create_task(lanes.handle(each)) for each in (one, other)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert handled == [one], "the other message waits in the same lane"
    release.set()
    await asyncio.gather(*running)
    assert handled == [one, other]
