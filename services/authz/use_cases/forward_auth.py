"""Decide a request that a gateway asks about."""

from dataclasses import dataclass

from rolecall import Reason, Resource
from rolecall.core.forward_auth import RouteMatch
from rolecall.core.state import NO_RESOURCE_ID
from services.authz.domain.checks import TOKEN_TYPE, USER_TYPE
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.domain.forwarded import (
    NoRouteMatches,
    OriginalRequest,
    RequestDenied,
    may_pass,
)
from services.authz.use_cases import evaluation
from services.authz.use_cases.context import Ctx
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    ClientPrincipal,
    DelegatedPrincipal,
    Member,
)
from shared.problems import TokenRevoked

Actor = Member | DelegatedPrincipal
"""Who sends a request as a user: the user, or a service client for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A request that may pass: who sends it, and what allowed it."""

    account_id: str | None
    user_id: str | None = None
    client_id: str | None = None
    role: str | None = None
    override: str | None = None
    revision: str | None = None


async def decide(
    ctx: Ctx,
    principal: Bearer,
    request: OriginalRequest | None,
    *,
    at_least_revision: str | None,
) -> Passed:
    """Decide whether the principal may send the request; `None` could not be read.

    Raises:
        NoRouteMatches: the map has no such route.
        RequestDenied: the principal may not send it.
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the session or the API token is over.
    """
    routes = ctx.forward_auth
    match = None
    if request is not None and routes is not None:
        match = routes.match(method=request.method, host=request.host, target=request.target)
    if match is None:
        raise NoRouteMatches
    if isinstance(principal, ClientPrincipal):
        return ctx.while_fresh(lambda: _decide_client(ctx, principal, match))
    try:
        return await _decide_member(ctx, principal, match, at_least_revision=at_least_revision)
    except (AccountNotBound, TypeNotBound) as refusal:
        raise RequestDenied(
            reason=Reason.PERMISSION_MISSING, permission=match.route.permission
        ) from refusal


async def _decide_member(
    ctx: Ctx, principal: Actor, match: RouteMatch, *, at_least_revision: str | None
) -> Passed:
    kind, _, action = match.route.permission.partition(":")
    account_id = match.account or principal.account_id
    subject_type, subject_id, session_id = _subject(principal)
    result = await evaluation.evaluate(
        ctx,
        principal,
        EvaluationRequest(
            subject_type=subject_type,
            subject_id=subject_id,
            session_id=session_id,
            action=action,
            resource_type=kind,
            resource=Resource(match.id or NO_RESOURCE_ID, project_id=match.project),
            account_id=account_id,
            at_least_revision=at_least_revision,
        ),
    )
    if not result.allowed:
        raise RequestDenied(reason=result.reason, permission=match.route.permission)
    source, _, name = (result.decided_by or "").partition(":")
    return Passed(
        account_id=account_id,
        user_id=principal.user_id,
        client_id=principal.client_id if isinstance(principal, DelegatedPrincipal) else None,
        role=name if source == "role" else None,
        override=name if source == "override" else None,
        revision=result.revision,
    )


def _subject(principal: Actor) -> tuple[str, str, str | None]:
    """The type and id of the subject, and the session of a user."""
    if isinstance(principal, ApiTokenPrincipal):
        return TOKEN_TYPE, principal.token_id, None
    return USER_TYPE, principal.user_id, principal.session_id


def _decide_client(ctx: Ctx, principal: ClientPrincipal, match: RouteMatch) -> Passed:
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    bound, permission = client.account_ids, match.route.permission
    account_id = match.account
    if account_id is None and bound is not None and len(bound) == 1:
        [account_id] = bound
    kind = permission.partition(":")[0]
    scope = match.route.scope
    if not may_pass(client, scope=scope, account_id=account_id, resource_type=kind):
        raise RequestDenied(reason=Reason.PERMISSION_MISSING, permission=permission)
    return Passed(account_id=account_id, client_id=principal.client_id)
