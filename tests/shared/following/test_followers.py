"""Tests of the subscriber that hands the rows of the bus to the followers."""

from __future__ import annotations

import asyncio

from shared.bus import BusMessage, Verdict
from shared.bus.delivery import Lanes
from shared.following.followers import Followers
from tests.clocks import SetClock
from tests.support.journal_keys import verifier


class CountedFollowers(Followers):
    """Notes in which turn of the event loop each message was taken."""

    turn = 0

    def __init__(self) -> None:
        super().__init__(verifier(), clock=SetClock())
        self.taken: list[tuple[str, int]] = []

    def take(self, message: BusMessage) -> None:
        self.taken.append((message.id, self.turn))


def message(number: int) -> BusMessage:
    """A message; each is of another shard, so no lane orders them."""
    return BusMessage(
        id=str(number), type="team.member.removed.v1", source="team", epoch="e1", shard=number,
        seq=1, body=b"", signature="",
    )  # fmt: skip


async def test_a_burst_of_rows_takes_one_row_in_each_turn_of_the_loop() -> None:
    """Decisions come between them: a burst is a thousand members of one account."""
    followers = CountedFollowers()
    lanes = Lanes("queue", followers.handle)
    burst = asyncio.gather(*(lanes.handle(message(number)) for number in range(40)))
    while not burst.done():
        await asyncio.sleep(0)
        followers.turn += 1
    assert set(burst.result()) == {Verdict.ACK}
    turns = [turn for _, turn in followers.taken]
    assert len(set(turns)) == len(turns) == 40
    assert [taken for taken, _ in followers.taken] == [str(number) for number in range(40)]
