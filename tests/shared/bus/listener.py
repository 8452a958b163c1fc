"""A subscriber that records the messages it was given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from shared.bus import BusMessage, Verdict


def message(number: int, *, type: str = "team.member.removed.v1", shard: int = 7) -> BusMessage:  # noqa: A002 (the attribute's name)
    return BusMessage(
        id=f"evt_{number:032x}",
        type=type,
        source=type.partition(".")[0],
        epoch="e1",
        shard=shard,
        seq=number,
        body=b'{"specversion":"1.0"}',
        signature="a signature",
        traceparent=f"00-{number + 1:032x}-00f067aa0ba902b7-01",
    )


def messages(count: int, *, first: int = 1) -> list[BusMessage]:
    return [message(number, shard=number % 64) for number in range(first, first + count)]


@dataclass
class Listener:
    """A handler that remembers what it was given, and answers by the message's id."""

    answers: dict[str, Verdict | type[BaseException]] = field(default_factory=dict)
    seen: list[BusMessage] = field(default_factory=list)
    resyncs: int = 0

    async def __call__(self, given: BusMessage) -> Verdict:
        self.seen.append(given)
        await asyncio.sleep(0)
        answer = self.answers.get(given.id, Verdict.ACK)
        if isinstance(answer, Verdict):
            return answer
        raise answer

    async def on_resync(self) -> None:
        self.resyncs += 1

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.seen]
