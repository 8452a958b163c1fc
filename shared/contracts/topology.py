"""The services, and the queues of the bus with the sources that each one takes.

The type of a fact is its routing key, and a queue takes all facts of its sources. Each source has
an exchange of its own, whose bindings carry only keys of that source. An administrator applies the
whole table before a service starts (`deploy/broker.py`). A service may declare its queues again.
"""

from collections.abc import Mapping
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
MAX_DEAD_LETTERS = 10_000
"""The newest dead letters of a queue; older ones are dropped. They are copies of rows."""


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

    def takes(self, fact_type: str) -> bool:
        """Return whether a fact of this type reaches the queue."""
        return fact_type.partition(".")[0] in self.sources

    @property
    def dead(self) -> str:
        """The queue of the messages that the service could not handle, and its exchange."""
        return f"{self.name}.dead"


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What carries the facts of one source to a queue."""

    exchange: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The queues, and the common prefix of the exchanges of their sources."""

    exchange: str
    queues: tuple[Queue, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources whose facts some queue takes."""
        return tuple(sorted({str(source) for queue in self.queues for source in queue.sources}))

    def exchange_of(self, source: str) -> str:
        """The topic exchange that only this source publishes to."""
        return f"{self.exchange}.{source}"

    def bindings(self, queue: Queue) -> tuple[Binding, ...]:
        """The bindings of a queue, one for each of its sources."""
        return tuple(
            Binding(exchange=self.exchange_of(source), key=f"{source}.#")
            for source in queue.sources
        )


DEAD_ARGUMENTS: Mapping[str, str | int] = {"x-queue-type": "quorum"}
"""The arguments of a queue of dead letters in RabbitMQ; a policy of the broker bounds it."""


def queue_arguments(queue: Queue) -> Mapping[str, str | int]:
    """The arguments of a durable queue in RabbitMQ, the same in each declaration."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": queue.dead,
    }


IDENTITY = Queue(name="rolecall.identity", sources=(Service.TEAM,))
TEAM = Queue(name="rolecall.team", sources=(Service.IDENTITY, Service.NOTIFICATION))
TEAM_REPLICA = Queue(
    name="rolecall.team.replica", sources=(Service.IDENTITY,), kind=QueueKind.REPLICA
)
"""Which sessions have ended, for the memory of each process of team."""
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
"""The queue of each service; those of authz are its replicas'."""


def consumers_of(source: str) -> tuple[Service, ...]:
    """The services that store how far they have applied the journal of a source.

    A replica that follows a journal in memory is none: it loads a snapshot.
    """
    return tuple(
        service
        for service, queue in QUEUES.items()
        if queue.kind is QueueKind.SERVICE and source in queue.sources
    )


FOLLOWER_QUEUES = {Service.TEAM: TEAM_REPLICA, Service.AUTHZ: AUTHZ}
"""The queues of the processes that follow journals in memory."""

TOPOLOGY = Topology(
    exchange="rolecall.events",
    queues=(*QUEUES.values(), TEAM_REPLICA),
)
