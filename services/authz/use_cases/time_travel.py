"""Answer and explain a check as of a past time, from the history of the account.

Nothing here is on the path of an ordinary check: a question about the past asks team.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from rolecall import NO_ACCOUNT, Decision, Reason, milliseconds
from services.authz.adapters.past_policies import (
    NO_SUCH_ACCOUNT,
    PastAccount,
    PastName,
    PastQuestion,
)
from services.authz.domain.checks import (
    HISTORY_PERMISSION,
    SHOWS_MEMBERSHIP,
    SUBJECT_AMBIGUOUS,
    SUBJECT_UNKNOWN,
    OtherSubject,
    PermissionCheck,
    decide_check,
    decide_for_user,
    names_member,
)
from services.authz.domain.evaluations import EvaluationRequest, EvaluationResult, check_of
from services.authz.domain.explaining import explain_check, steps_of_past
from services.authz.domain.named_checks import is_user_id, owned_by, require_owner
from services.authz.use_cases.asked_checks import authorized_check
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer
from services.authz.use_cases.explain import (
    ExplanationResult,
    asker_of,
    explanation_result,
    names_no_member,
    told_of_name,
    unknown_subject,
)
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest


async def evaluate_at(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest, at: datetime
) -> EvaluationResult:
    """Evaluate a check as of a past time; whether the subject was signed in then does not count.

    A member with `audit_log:view` may ask about every subject of the account. External ids name
    the members who had them then. The caller must be allowed to ask when the history has been read,
    too.

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
    ambiguous = then.subject_shared and decision.reason is Reason.NOT_A_MEMBER
    return EvaluationResult(
        check=then.check,
        allowed=decision.allowed,
        reason=SUBJECT_AMBIGUOUS if ambiguous else decision.reason,
        decided_by=decision.decided_by,
        revision=then.revision(decision.reason),
        at=at,
    )


async def explain_at(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest, at: datetime
) -> ExplanationResult:
    """Explain the decision of `evaluate_at`, step by step; nothing would allow it any more.

    Raises:
        Invalid: the owner is named by a text that named no member.
        BadRequest, HistoryUnavailable, Overloaded, Unavailable, Stale, TokenRevoked, ScopeMissing,
            AccountNotBound, TypeNotBound, OtherSubject: as `evaluate_at`.
    """
    then = await _then(ctx, principal, request, at)
    if not names_member(then.past.account, request.subject_type):
        return unknown_subject(then.check, request)
    if then.past.account is not None and not then.own:
        require_owner(then.check.resource.owner_id, shared=then.owner_shared)
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
    told = explanation_result(then.check, found.decision, steps, revision=revision, at=at)
    return told_of_name(told, shared=then.subject_shared) if names_no_member(told) else told


@dataclass(frozen=True, slots=True, kw_only=True)
class _Then:
    """What a check about a past time rests on; `own`: its subject is the user who asks.

    `subject_shared`, `owner_shared`: several members had the external id, so it names none.
    """

    check: PermissionCheck
    past: PastAccount
    own: bool
    subject_shared: bool = False
    owner_shared: bool = False

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
    past, subjects, owners = NO_SUCH_ACCOUNT, _NO_ONE, _NO_ONE
    account_id = check.account_id
    if account_id is not None:
        subjects = await _bearers(ctx, account_id, check.user_id, at)
        check = replace(check, user_id=_only(subjects) or check.user_id)
        own = _is_own(principal, check)
        owners = await _bearers(ctx, account_id, check.resource.owner_id, at)
        owner_id = _only(owners)
        if owner_id is not None and (not own or owner_id == check.user_id):
            check = owned_by(check, owner_id)
        past = await ctx.past.account(
            PastQuestion(
                account_id=account_id,
                user_id=check.user_id,
                resource_type=request.resource_type,
                resource_id=check.resource.id,
                project_id=check.resource.project_id,
                at=at,
            )
        )
        ctx.while_fresh(lambda: _authorized_check(ctx, principal, request))
    return _Then(
        check=check,
        past=past,
        own=_is_own(principal, check),
        subject_shared=len(subjects) > 1,
        owner_shared=len(owners) > 1,
    )


async def _bearers(ctx: Ctx, account_id: str, name: str | None, at: datetime) -> tuple[str, ...]:
    """The members whom a text named then as their external id; a user's own id is never one."""
    if name is None or is_user_id(name):
        return _NO_ONE
    return await ctx.past.bearers(PastName(account_id=account_id, external_id=name, at=at))


_NO_ONE: tuple[str, ...] = ()


def _only(user_ids: tuple[str, ...]) -> str | None:
    return user_ids[0] if len(user_ids) == 1 else None


def _is_own(principal: ClientPrincipal | UserPrincipal, check: PermissionCheck) -> bool:
    return isinstance(principal, UserPrincipal) and principal.user_id == check.user_id


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
