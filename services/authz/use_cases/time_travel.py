"""Answer and explain a check as of a past time, from the history of the account.

Nothing here is on the path of an ordinary check: a question about the past asks team.
"""

from dataclasses import dataclass
from datetime import datetime

from rolecall import NO_ACCOUNT, Decision, milliseconds
from services.authz.adapters.past_policies import NO_SUCH_ACCOUNT, PastAccount, PastQuestion
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
from services.authz.domain.explaining import explain_check, steps_of_past
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer
from services.authz.use_cases.evaluation import (
    EvaluationRequest,
    EvaluationResult,
    authorized_check,
    check_of,
)
from services.authz.use_cases.explain import (
    ExplanationResult,
    asker_of,
    explanation_result,
    unknown_subject,
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
    then = await _then(ctx, principal, request, at)
    if not names_member(then.past.account, request.subject_type):
        return EvaluationResult(check=then.check, allowed=False, reason=SUBJECT_UNKNOWN, at=at)
    decision = _decide_then(then, at=at)
    return EvaluationResult(
        check=then.check,
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=then.revision(decision.reason),
        at=at,
    )


async def explain_at(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest, at: datetime
) -> ExplanationResult:
    """Explain the decision of `evaluate_at`, step by step; nothing would allow it any more.

    Raises:
        BadRequest, HistoryUnavailable, Overloaded, Unavailable, Stale, TokenRevoked, ScopeMissing,
            AccountNotBound, TypeNotBound, OtherSubject: as `evaluate_at`.
    """
    then = await _then(ctx, principal, request, at)
    if not names_member(then.past.account, request.subject_type):
        return unknown_subject(then.check, request)
    found = explain_check(
        then.past.account,
        then.check,
        asker=asker_of(principal),
        with_factor=ctx.sign_ins.second_factor_users,
        project_name=then.past.project_name,
        sign_in_denial=None,
        now=milliseconds(at),
    )
    revision = then.revision(found.decision.reason)
    steps = steps_of_past(found.steps)
    return explanation_result(then.check, found.decision, steps, revision=revision, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Then:
    """What a check about a past time rests on; `own`: its subject is the user who asks."""

    check: PermissionCheck
    past: PastAccount
    own: bool

    def revision(self, reason: str) -> str | None:
        """The revision of the account, as far as the caller may learn of it."""
        return self.past.revision if not self.own or reason in SHOWS_MEMBERSHIP else None


async def _then(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest, at: datetime
) -> _Then:
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
    own = isinstance(principal, UserPrincipal) and principal.user_id == check.user_id
    return _Then(check=check, past=past, own=own)


def _decide_then(then: _Then, *, at: datetime) -> Decision:
    """Decide as of that time: ends of memberships and overrides are judged at it, too."""
    if then.check.account_id is None:
        return NO_ACCOUNT
    rule = decide_for_user if then.own else decide_check
    return rule(then.past.account, then.check, sign_in_denial=None, now=milliseconds(at))


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
