"""A proxy of a link to the broker that also delivers messages in another order."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from tests.faults.chaos_proxy import ChaosProxy, Direction, Link

METHOD, HEADER, BODY = 1, 2, 3
DELIVER = bytes((0, 60, 0, 60))
"""The class and method of `basic.deliver` (AMQP 0-9-1)."""
FRAME_HEAD, FRAME_END = 7, 1
WINDOW = 8
"""At most as many messages are held back at a time; a consumer allows more without an answer."""
HOLD_SECONDS = 0.3


class _Deliveries:
    """Splits the broker's bytes into whole deliveries and everything else."""

    def __init__(self) -> None:
        self.held: list[bytes] = []
        self.released_by: asyncio.TimerHandle | None = None
        self._rest = b""
        self._begun: defaultdict[int, bytes] = defaultdict(bytes)
        self._left: dict[int, int] = {}

    def take(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Give what is whole, in order, and whether it is a delivery."""
        self._rest += data
        while (frame := self._next()) is not None:
            kind, channel, payload = frame[0], int.from_bytes(frame[1:3]), frame[FRAME_HEAD:-1]
            if kind == METHOD and payload[:4] == DELIVER:
                self._begun[channel] = frame
            elif channel in self._begun and kind in {HEADER, BODY}:
                self._begun[channel] += frame
                if kind == HEADER:
                    self._left[channel] = int.from_bytes(payload[4:12])
                else:
                    self._left[channel] -= len(payload)
                if self._left[channel] == 0:
                    yield self._begun.pop(channel), True
            else:
                yield frame, False

    def _next(self) -> bytes | None:
        if len(self._rest) < FRAME_HEAD:
            return None
        size = FRAME_HEAD + int.from_bytes(self._rest[3:FRAME_HEAD]) + FRAME_END
        if len(self._rest) < size:
            return None
        frame, self._rest = self._rest[:size], self._rest[size:]
        return frame


class BusProxy(ChaosProxy):
    """While `disordered` is set, holds deliveries back for a moment and shuffles them."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.disordered: random.Random | None = None
        """Chooses the order, and which messages wait; without it all pass in order."""
        self._deliveries: WeakKeyDictionary[Link, _Deliveries] = WeakKeyDictionary()

    def heal(self) -> None:
        """Forward everything again, and first what was held back."""
        self.disordered = None
        super().heal()

    async def send_on(
        self, link: Link, direction: Direction, writer: asyncio.StreamWriter, data: bytes
    ) -> None:
        """Forward the data; of deliveries, only those that do not wait."""
        if direction is self.to_client:
            data = self._passing(link, writer, data)
        await super().send_on(link, direction, writer, data)

    def _passing(self, link: Link, writer: asyncio.StreamWriter, data: bytes) -> bytes:
        deliveries = self._deliveries.setdefault(link, _Deliveries())
        passing = b""
        for whole, is_delivery in deliveries.take(data):
            if not is_delivery or self.disordered is None:
                passing += whole
                continue
            deliveries.held.append(whole)
            if len(deliveries.held) == 1:
                seconds = self.disordered.uniform(0, HOLD_SECONDS)
                deliveries.released_by = asyncio.get_running_loop().call_later(
                    seconds, self._release, deliveries, writer
                )
            elif len(deliveries.held) == WINDOW:
                self._release(deliveries, writer)
        return passing

    def _release(self, deliveries: _Deliveries, writer: asyncio.StreamWriter) -> None:
        if deliveries.released_by is not None:
            deliveries.released_by.cancel()
        held, deliveries.held = deliveries.held, []
        if self.disordered is not None:
            self.disordered.shuffle(held)
        if not writer.is_closing():
            writer.write(b"".join(held))
