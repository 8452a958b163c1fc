"""The services, and the queues of the bus with the sources that each one takes.

The type of a fact is its routing key, and a queue takes all facts of its sources. Each service that
connects declares the whole table: it depends on no other service having started before.
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
"""The services with a journal; the first word of a fact's type."""

DELIVERY_LIMIT = 5
"""The number of failures after which the next one makes a message a dead letter."""


class QueueKind(StrEnum):
    """Whether one process of the service gets a message, or each."""

    SERVICE = "service"
    """Durable, one for all replicas; a message that cannot be handled goes to `<name>.dead`."""
    REPLICA = "replica"
    """One for each connection, with a new random name; a resync makes up for lost messages."""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue and the sources whose facts it takes; for `REPLICA`, `name` is a prefix."""

    name: str
    sources: tuple[str, ...]
    kind: QueueKind = QueueKind.SERVICE

    @property
    def bindings(self) -> tuple[str, ...]:
        """The patterns to bind to the topic exchange."""
        return tuple(f"{source}.#" for source in self.sources)

    def takes(self, fact_type: str) -> bool:
        """Return whether a fact of this type reaches the queue."""
        return fact_type.partition(".")[0] in self.sources

    @property
    def dead(self) -> str:
        """The queue of the messages that the service could not handle."""
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

QUEUES = {
    Service.IDENTITY: IDENTITY,
    Service.TEAM: TEAM,
    Service.AUTHZ: AUTHZ,
    Service.NOTIFICATION: NOTIFICATION,
    Service.AUDIT: AUDIT,
}
"""The queue of each service."""

TOPOLOGY = Topology(
    exchange="rolecall.events",
    dead_exchange="rolecall.dead",
    queues=tuple(QUEUES.values()),
)
