"""Answer an access evaluation of a service client, or of a user about themselves."""

from dataclasses import dataclass, field

from rolecall import Resource
from services.authz.domain.checks import (
    CHECK_SCOPE,
    SHOWS_MEMBERSHIP,
    SUBJECT_UNKNOWN,
    USER_TYPE,
    OtherSubject,
    PermissionCheck,
    account_for_client,
    decide_check,
    decide_for_user,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member, note_activity
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.problems import ScopeMissing, TokenRevoked


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequest:
    """One access evaluation; `account_id` and `at_least_revision` are optional."""

    subject_type: str
    subject_id: str
    session_id: str | None
    action: str
    resource_type: str
    resource: Resource
    account_id: str | None
    at_least_revision: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationResult:
    """The decision, its reason, what decided (`role:…`, `override:…`), and its revision.

    `check` does not count when two results are compared: the same answer tells both.
    """

    check: PermissionCheck = field(compare=False)
    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None


async def evaluate(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate a check of a service client, or of a user about themselves.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision.
    """
    if request.at_least_revision is not None:
        check = ctx.while_fresh(lambda: authorized_check(ctx, principal, request))
        own = isinstance(principal, UserPrincipal)
        await ctx.reach(
            request.at_least_revision, check, may_learn=lambda: not own or is_member(ctx, check)
        )
    return evaluate_at_once(ctx, principal, request)


def evaluate_at_once(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate a check as of now; it does not wait for the revision that the request may name.

    Raises:
        Stale, TokenRevoked, ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: as
            `evaluate`.
    """
    result = ctx.while_fresh(lambda: evaluate_now(ctx, principal, request))
    note_activity(ctx, result.check, result.reason)
    ctx.counter.count(result.check, allowed=result.allowed, reason=result.reason)
    return result


def evaluate_now(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> EvaluationResult:
    """Evaluate without waiting; call it within `Ctx.while_fresh`. It raises as `evaluate`."""
    check = authorized_check(ctx, principal, request)
    if request.subject_type != USER_TYPE:
        return EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN)
    own = isinstance(principal, UserPrincipal)
    decision = answer(ctx, check, decide_for_user if own else decide_check)
    shown = not own or decision.reason in SHOWS_MEMBERSHIP
    return EvaluationResult(
        check=check,
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=(
            ctx.revision(check.account_id) if check.account_id is not None and shown else None
        ),
    )


def authorized_check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it."""
    return PermissionCheck(
        user_id=request.subject_id,
        session_id=request.session_id,
        account_id=_account_id(ctx, principal, request),
        permission=f"{request.resource_type}:{request.action}",
        resource=request.resource,
    )


def _account_id(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> str | None:
    if isinstance(principal, UserPrincipal):
        if ctx.sign_ins.session_ended(principal.session_id):
            raise TokenRevoked
        if (request.subject_type, request.subject_id) != (USER_TYPE, principal.user_id):
            raise OtherSubject
        return request.account_id or principal.account_id
    client = ctx.sign_ins.client(principal.client_id)
    if client is None:
        raise TokenRevoked
    if CHECK_SCOPE not in client.scopes:
        raise ScopeMissing(CHECK_SCOPE)
    return account_for_client(client, named=request.account_id, resource_type=request.resource_type)
