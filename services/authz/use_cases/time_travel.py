"""Answer an access evaluation as of a past time, from the history of the account.

Nothing here is on the path of an ordinary check: a question about the past asks team.
"""

from datetime import datetime

from rolecall import NO_ACCOUNT, AccountState, Decision, milliseconds
from services.authz.adapters.past_policies import NO_SUCH_ACCOUNT, PastQuestion
from services.authz.domain.checks import (
    HISTORY_PERMISSION,
    SHOWS_MEMBERSHIP,
    SUBJECT_UNKNOWN,
    OtherSubject,
    PermissionCheck,
    decide_check,
    decide_for_user,
    names_member,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer
from services.authz.use_cases.evaluation import (
    EvaluationRequest,
    EvaluationResult,
    authorized_check,
    check_of,
)
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest


async def evaluate_at(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest, at: datetime
) -> EvaluationResult:
    """Evaluate a check as of a past time; whether the subject was signed in then does not count.

    A member with `audit_log:view` may ask about every subject of the account. The caller must be
    allowed to ask when the history has been read, too.

    Raises:
        BadRequest: the time is in the future.
        HistoryUnavailable: the history of that time is not kept.
        Overloaded, Unavailable: the history cannot be read now.
        Stale, TokenRevoked, ScopeMissing, AccountNotBound, TypeNotBound, OtherSubject: as for a
            check of the present.
    """
    check = ctx.while_fresh(lambda: _authorized_check(ctx, principal, request))
    if at > ctx.clock.now():
        message = "Must not be in the future. Send a time that has passed, or leave it out."
        raise BadRequest(errors=[("/context/at", message)])
    past = NO_SUCH_ACCOUNT
    if check.account_id is not None:
        past = await ctx.past.account(
            PastQuestion(
                account_id=check.account_id,
                user_id=check.user_id,
                resource_type=request.resource_type,
                resource_id=check.resource.id,
                project_id=check.resource.project_id,
                at=at,
            )
        )
        ctx.while_fresh(lambda: _authorized_check(ctx, principal, request))
    if not names_member(past.account, request.subject_type):
        return EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN, at=at)
    own = isinstance(principal, UserPrincipal) and principal.user_id == check.user_id
    decision = _decide_then(past.account, check, own=own, at=at)
    shown = not own or decision.reason in SHOWS_MEMBERSHIP
    return EvaluationResult(
        check=check,
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=past.revision if shown else None,
        at=at,
    )


def _decide_then(
    account: AccountState | None, check: PermissionCheck, *, own: bool, at: datetime
) -> Decision:
    """Decide as of that time: ends of memberships and overrides are judged at it, too."""
    if check.account_id is None:
        return NO_ACCOUNT
    rule = decide_for_user if own else decide_check
    return rule(account, check, session_ended=False, now=milliseconds(at))


def _authorized_check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is asked for, if the caller may ask it about the past."""
    try:
        return authorized_check(ctx, principal, request)
    except OtherSubject:
        if not isinstance(principal, UserPrincipal):
            raise
        account_id = request.point or request.account_id or principal.account_id
        reading = PermissionCheck(
            user_id=principal.user_id,
            session_id=principal.session_id,
            account_id=account_id,
            permission=HISTORY_PERMISSION,
        )
        if not answer(ctx, reading, decide_for_user).allowed:
            raise
        return check_of(request, account_id, request.subject_id)
