"""How do the replicas of authz ask for leases?"""

from datetime import datetime

from pydantic import Field

from shared.clock import Clock
from shared.http.access import Internal
from shared.http.routes import Answer, Body, Call, Route
from shared.leases.leases import LONGEST_TTL, Leases
from shared.leases.store import Superseded

AUTHZ = Internal(("authz",))


class LeaseBody(Body):
    """Who asks, and what it has of which epoch (shard → sequence)."""

    replica: str = Field(min_length=1, max_length=200)
    boot: int = Field(ge=1)
    asked: int = Field(ge=0)
    epoch: str | None = None
    applied: dict[int, int] = Field(max_length=1024)
    held: float = Field(default=0, ge=0, le=LONGEST_TTL)
    """Seconds that what it was granted before may still last, used or not."""


class LeaseAnswer(Answer):
    """A lease for `ttl` seconds from before it was asked for, to be used from `heads` on."""

    epoch: str
    heads: dict[int, int]
    ttl: float
    server_time: datetime


class BootQuery(Body):
    """Which life of the replica ends."""

    boot: int = Field(ge=1)


def lease_routes(leases: Leases, clock: Clock) -> tuple[Route, ...]:
    """The internal routes of a source that authz decides from."""

    async def grant(ctx: object, call: Call[LeaseBody, None]) -> LeaseAnswer:
        body = call.body
        granted = await leases.grant(
            replica=body.replica,
            boot=body.boot,
            asked=body.asked,
            epoch=body.epoch,
            applied=body.applied,
            held=body.held,
        )
        return LeaseAnswer(
            epoch=granted.epoch, heads=dict(granted.heads), ttl=granted.ttl, server_time=clock.now()
        )

    async def applied(ctx: object, call: Call[LeaseBody, None]) -> None:
        body = call.body
        await leases.applied(
            replica=body.replica, boot=body.boot, epoch=body.epoch, applied=body.applied
        )

    async def end(ctx: object, call: Call[None, BootQuery]) -> None:
        await leases.end(replica=call.path["replica"], boot=call.query.boot)

    return (
        Route(
            method="POST",
            path="/internal/lease",
            handler=grant,
            operation_id="grantLease",
            summary="Renew a replica's lease",
            tag="internal",
            access=AUTHZ,
            takes=LeaseBody,
            gives=LeaseAnswer,
            refuses=(Superseded,),
        ),
        Route(
            method="POST",
            path="/internal/applied",
            handler=applied,
            operation_id="reportApplied",
            summary="Say what a replica has applied",
            tag="internal",
            access=AUTHZ,
            takes=LeaseBody,
        ),
        Route(
            method="DELETE",
            path="/internal/lease/{replica}",
            handler=end,
            operation_id="endLease",
            summary="Give a lease back",
            tag="internal",
            access=AUTHZ,
            query=BootQuery,
        ),
    )
