"""Which queues are there, and whose facts does each one take?

This table is all that the services agree on about the bus. A fact's type is its routing key, a
queue takes every fact of its sources, and whoever connects declares the whole table: no service
depends on another one having been started before.
"""

from dataclasses import dataclass
from enum import StrEnum


class Service(StrEnum):
    """The services of the product; a name is used on the bus, in tokens and in settings."""

    IDENTITY = "identity"
    TEAM = "team"
    AUTHZ = "authz"
    NOTIFICATION = "notification"
    AUDIT = "audit"


SOURCES = (Service.IDENTITY, Service.TEAM, Service.NOTIFICATION, Service.AUDIT)
"""The services that keep a journal; the first word of every fact's type."""

DELIVERY_LIMIT = 5
"""Failed deliveries of one message that are forgiven; the next failure dead-letters it."""


class QueueKind(StrEnum):
    """Who gets a message: one process of the service, or each of them."""

    SERVICE = "service"
    """Durable, one for all replicas; what cannot be handled ends in `<name>.dead`."""
    REPLICA = "replica"
    """One for each connection, under a new random name, gone with it; loss is made up by resync."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue (for `REPLICA`, the first part of the name) and the sources whose facts it takes."""

    name: str
    sources: tuple[str, ...]
    kind: QueueKind = QueueKind.SERVICE

    @property
    def bindings(self) -> tuple[str, ...]:
        """The patterns to bind to the topic exchange."""
        return tuple(f"{source}.#" for source in self.sources)

    def takes(self, fact_type: str) -> bool:
        """Tell whether a fact of this type reaches the queue."""
        return fact_type.partition(".")[0] in self.sources

    @property
    def dead(self) -> str:
        """Where the messages end that this queue's service could not handle."""
        return f"{self.name}.dead"


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The exchange for facts, the one for dead letters, and the queues."""

    exchange: str
    dead_exchange: str
    queues: tuple[Queue, ...]


IDENTITY = Queue(name="rolecall.identity", sources=(Service.TEAM,))
TEAM = Queue(name="rolecall.team", sources=(Service.IDENTITY,))
AUTHZ = Queue(
    name="rolecall.authz",
    sources=(Service.IDENTITY, Service.TEAM),
    kind=QueueKind.REPLICA,
)
NOTIFICATION = Queue(name="rolecall.notification", sources=SOURCES)
AUDIT = Queue(name="rolecall.audit", sources=SOURCES)

TOPOLOGY = Topology(
    exchange="rolecall.events",
    dead_exchange="rolecall.dead",
    queues=(IDENTITY, TEAM, AUTHZ, NOTIFICATION, AUDIT),
)
