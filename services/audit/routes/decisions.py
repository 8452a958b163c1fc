"""The internal routes by which authz reports counted decisions."""

from services.audit.use_cases.context import Ctx
from services.audit.use_cases.decisions import record_allows, record_denials
from shared.contracts.calls.decision_counts import ALLOWS, DENIALS, AllowReport, DenialReport
from shared.http.internal import internal_route
from shared.http.routes import Call


async def take_denials(ctx: Ctx, call: Call[DenialReport, None]) -> None:
    """Record the denied decisions that a replica of authz has counted."""
    await record_denials(ctx, call.caller, call.body)


async def take_allows(ctx: Ctx, call: Call[AllowReport, None]) -> None:
    """Record the allowed decisions that a replica of authz has drawn."""
    await record_allows(ctx, call.caller, call.body)


ROUTES = (internal_route(DENIALS, take_denials), internal_route(ALLOWS, take_allows))
