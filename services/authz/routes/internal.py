"""The routes of authz for other services: decisions, and whether a caller is still signed in."""

from rolecall import Resource
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.new_tokens import limits_of
from services.authz.use_cases import new_tokens, service_checks
from services.authz.use_cases.context import Ctx
from shared.auth.principals import AccessTokenRef
from shared.contracts.calls.authz import (
    DECIDE,
    FIND_TOKEN,
    LIVE_CALLER,
    LIVE_CALLERS,
    NEW_TOKEN,
    CallerAnswer,
    CallerRequest,
    CallersAnswer,
    CallersRequest,
    CheckRequest,
    CheckResult,
    FindTokenAnswer,
    FindTokenRequest,
    FoundToken,
    NewTokenAnswer,
    NewTokenRequest,
)
from shared.http.internal import internal_route
from shared.http.routes import Call
from shared.ids import KeyId, TokenId
from shared.problems import ApiTokenOver, Stale


async def decide(ctx: Ctx, call: Call[CheckRequest, None]) -> CheckResult:
    """Answer the check of another Rolecall service."""
    body = call.body
    return await service_checks.check_for_service(
        ctx,
        PermissionCheck(
            user_id=body.user_id,
            session_id=body.session_id or None,
            token_id=None if body.token_id is None else TokenId(body.token_id),
            account_id=body.account_id,
            permission=body.permission,
            resource=Resource(owner_id=body.owner_id),
        ),
        at_least_revision=body.at_least_revision,
    )


async def decide_new_token(ctx: Ctx, call: Call[NewTokenRequest, None]) -> NewTokenAnswer:
    """Tell identity whether a member may make an API token."""
    return await new_tokens.decide(ctx, call.body)


async def find_api_token(ctx: Ctx, call: Call[FindTokenRequest, None]) -> FindTokenAnswer:
    """Tell another Rolecall service what an API token stands for."""
    try:
        token = await ctx.callers.find_api_token(call.body.digest)
    except ApiTokenOver:
        return FindTokenAnswer(found=None)
    found = FoundToken(
        token_id=token.token_id,
        user_id=token.user_id,
        account_id=token.account_id,
        membership_id=token.membership_id,
        expires_at=token.expires_at,
        limits=limits_of(token.restriction),
    )
    return FindTokenAnswer(found=found)


async def check_caller(ctx: Ctx, call: Call[CallerRequest, None]) -> CallerAnswer:
    """Tell another Rolecall service whether its caller is still signed in."""
    return CallerAnswer(live=_live(ctx, call.body))


async def check_callers(ctx: Ctx, call: Call[CallersRequest, None]) -> CallersAnswer:
    """Tell another Rolecall service which of its callers are still signed in."""
    return CallersAnswer(live=tuple(_live(ctx, each) for each in call.body.callers))


def _live(ctx: Ctx, caller: CallerRequest) -> bool:
    access_token = None
    if caller.access_token_id is not None and caller.key_id is not None:
        access_token = AccessTokenRef(TokenId(caller.access_token_id), KeyId(caller.key_id))
    return ctx.callers.live(
        session_id=caller.session_id,
        client_id=caller.client_id,
        token_id=caller.token_id,
        acting=caller.acting_client_ids,
        access_token=access_token,
        made_of=[AccessTokenRef(TokenId(each), KeyId(key)) for each, key in caller.made_of],
    )


ROUTES = (
    internal_route(LIVE_CALLER, check_caller, refuses=(Stale,)),
    internal_route(LIVE_CALLERS, check_callers, refuses=(Stale,)),
    internal_route(DECIDE, decide, refuses=(Stale,)),
    internal_route(FIND_TOKEN, find_api_token, refuses=(Stale,)),
    internal_route(NEW_TOKEN, decide_new_token, refuses=(Stale,)),
)
