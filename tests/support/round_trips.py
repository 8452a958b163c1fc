"""The commands that reach the database for one request, by its trace context.

The driver reports each command in the context of the operation that sent it, so the commands of
other requests and of background loops are told apart.
"""

import secrets
from collections import defaultdict
from dataclasses import dataclass, field

from pymongo import monitoring

from shared import context


@dataclass(frozen=True)
class Command:
    """One round trip: the command, and the collection that it names."""

    name: str
    collection: str

    def __str__(self) -> str:
        return f"{self.name} {self.collection}".strip()


@dataclass
class RoundTrips(monitoring.CommandListener):
    """Every command of each request, in order."""

    of: dict[str, list[Command]] = field(default_factory=lambda: defaultdict(list))

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Note the command; the driver calls this."""
        request = context.traceparent.get()
        if request is not None:
            target = event.command.get(event.command_name)
            collection = target if isinstance(target, str) else ""
            self.of[request].append(Command(event.command_name, collection))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing is noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing is noted."""


def new_trace() -> str:
    """A trace context (W3C) that no other test of this process has, and no one exports."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


ROUND_TRIPS = RoundTrips()
"""Of the clients that are made after the first import of this module."""
monitoring.register(ROUND_TRIPS)
