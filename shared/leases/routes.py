"""The internal routes by which the replicas of authz hold leases."""

from typing import Any

from shared.clock import Clock
from shared.contracts.calls.leases import (
    APPLIED,
    LEASE,
    RELEASE,
    LeaseAnswer,
    LeaseRequest,
    Life,
    ReleaseQuery,
)
from shared.contracts.groups import shards_in
from shared.http.internal import internal_route
from shared.http.routes import Call, Route
from shared.leases.barrier import LeaseId, Report, lease_id
from shared.leases.leases import Leases
from shared.leases.store import LifeEnded


def lease_routes(leases: Leases, clock: Clock) -> tuple[Route, ...]:
    """The internal routes that a source of policy serves."""

    def lease_of(call: Call[Any, Any], life: Life) -> LeaseId:
        """The row of the life; which service calls says its verified token."""
        return lease_id(service=call.service.service, slot=life.slot, life=life.life)

    def reported(body: LeaseRequest) -> Report:
        shards = None if body.shards is None else shards_in(body.shards)
        return Report(epoch=body.epoch, applied=body.applied, digests=body.digests, shards=shards)

    async def grant(ctx: object, call: Call[LeaseRequest, None]) -> LeaseAnswer:
        body = call.body
        granted = await leases.grant(
            lease_of(call, body), reported(body), asked=body.asked, held=body.held
        )
        return LeaseAnswer(
            epoch=granted.epoch,
            heads=dict(granted.heads),
            digests=dict(granted.digests),
            ttl=granted.ttl,
            server_time=clock.now(),
        )

    async def applied(ctx: object, call: Call[LeaseRequest, None]) -> None:
        await leases.applied(lease_of(call, call.body), reported(call.body))

    async def end(ctx: object, call: Call[None, ReleaseQuery]) -> None:
        await leases.end(lease_of(call, call.query))

    return (
        internal_route(LEASE, grant, refuses=(LifeEnded,)),
        internal_route(APPLIED, applied),
        internal_route(RELEASE, end),
    )
