"""How long the services wait, as one object that is handed in."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Every wait that a test may need to be longer or shorter, in seconds.

    The defaults are those of production. A constructor takes `timeouts: Timeouts = Timeouts()`;
    `build()` of a service hands one object to all of them.
    """

    start: float = 60.0
    """A service's opening steps are tried for so long."""
    publish: float = 2.0
    """A publish to the bus, and the first connection of a subscription."""
    handler_drain: float = 5.0
    """Bus handlers that are running when their subscription closes."""
    shard_turn: float = 5.0
    """A write waits so long for the earlier writes of its shard in this process."""
    barrier: float = 2.0
    """A write waits so long until every replica of authz has applied it."""
    catch_up: float = 0.1
    """A check waits so long for the revision that it names."""
    decide: float = 0.2
    """A service waits so long for one decision of authz."""
    internal_call: float = 2.0
    """A service waits so long for the answer of another, over all its replicas."""
    source_call: float = 1.0
    """A replica of authz waits so long for an answer of team or identity."""
    snapshot_page: float = 10.0
    """A replica of authz waits so long for one page of a snapshot."""


DEFAULT_TIMEOUTS = Timeouts()
