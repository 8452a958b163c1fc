"""The internal routes by which the replicas of authz hold leases."""

from shared.clock import Clock
from shared.contracts.calls.leases import (
    APPLIED,
    LEASE,
    RELEASE,
    LeaseAnswer,
    LeaseRequest,
    ReleaseQuery,
)
from shared.http.internal import internal_route
from shared.http.routes import Call, Route
from shared.leases.leases import Leases
from shared.leases.store import Superseded


def lease_routes(leases: Leases, clock: Clock) -> tuple[Route, ...]:
    """The internal routes that a source of policy serves."""

    async def grant(ctx: object, call: Call[LeaseRequest, None]) -> LeaseAnswer:
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

    async def applied(ctx: object, call: Call[LeaseRequest, None]) -> None:
        body = call.body
        await leases.applied(
            replica=body.replica, boot=body.boot, epoch=body.epoch, applied=body.applied
        )

    async def end(ctx: object, call: Call[None, ReleaseQuery]) -> None:
        await leases.end(replica=call.path["replica"], boot=call.query.boot)

    return (
        internal_route(LEASE, grant, refuses=(Superseded,)),
        internal_route(APPLIED, applied),
        internal_route(RELEASE, end),
    )
