"""A service that looks more often for old rows and due work, and may have a poisoned subscription.

`python -m tests.faults.hasty_services SERVICE [TYPE]` runs it. It fails to handle each message of
this type.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shared.runtime.service import main
from shared.timeouts import Timeouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus import Bus, BusMessage, Handler, Subscription, Verdict
    from shared.contracts.topology import Queue

HASTY = Timeouts(trim_poll=2.0, confirm_poll=1.0, deletion_poll=2.0)


class PoisonedBus:
    """A bus whose handlers fail for messages of one type."""

    def __init__(self, bus: Bus, poison: str) -> None:
        self._bus = bus
        self._poison = poison

    async def publish(self, messages: Sequence[BusMessage], /) -> None:
        await self._bus.publish(messages)

    async def subscribe(self, queue: Queue, handler: Handler, **others: Any) -> Subscription:
        async def handle(message: BusMessage) -> Verdict:
            if message.type == self._poison:
                raise ValueError(self._poison)
            return await handler(message)

        return await self._bus.subscribe(queue, handle, **others)

    async def close(self) -> None:
        await self._bus.close()


def run(service: str, poison: str = "") -> None:
    """Run the service."""
    module = import_module(f"services.{service}.app")
    settings = import_module(f"services.{service}.settings").Settings

    def build(settings: Any, *, bus: Bus) -> Any:
        return module.build(settings, bus=PoisonedBus(bus, poison), timeouts=HASTY)

    main(build, settings)


if __name__ == "__main__":
    run(*sys.argv[1:])
