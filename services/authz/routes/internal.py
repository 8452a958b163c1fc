"""The routes of authz for other services: decisions, and whether a caller is still signed in."""

from services.authz.domain.checks import PermissionCheck
from services.authz.use_cases import service_checks
from services.authz.use_cases.context import Ctx
from shared.contracts.calls.authz import (
    DECIDE,
    LIVE_CALLER,
    CallerAnswer,
    CallerRequest,
    CheckRequest,
    CheckResult,
)
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.problems import Stale


async def decide(ctx: Ctx, call: Call[CheckRequest, None]) -> CheckResult:
    """Answer the check of another Rolecall service."""
    body = call.body
    return await service_checks.check_for_service(
        ctx,
        PermissionCheck(
            user_id=body.user_id,
            session_id=body.session_id,
            account_id=body.account_id,
            permission=body.permission,
        ),
        at_least_revision=body.at_least_revision,
    )


async def check_caller(ctx: Ctx, call: Call[CallerRequest, None]) -> CallerAnswer:
    """Tell another Rolecall service whether its caller is still signed in."""
    body = call.body
    return CallerAnswer(live=ctx.callers.live(session_id=body.session_id, client_id=body.client_id))


ROUTES = (
    internal_route(LIVE_CALLER, check_caller, refuses=(Stale,)),
    internal_route(DECIDE, decide, refuses=(Stale,)),
)
