"""Explain a check to a service client, its user, or a member who may see the members."""

from dataclasses import dataclass, replace
from functools import partial

from rolecall import Grantors, Remedies, Step
from services.authz.domain.checks import (
    SUBJECT_UNKNOWN,
    USER_TYPE,
    PermissionCheck,
    decide_for_user,
    names_member,
)
from services.authz.domain.explaining import (
    SEE_MEMBERS,
    Asker,
    SubjectHidden,
    explain_check,
    steps_of_unknown_subject,
)
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member, known_account
from services.authz.use_cases.evaluation import (
    EvaluationRequest,
    EvaluationResult,
    authorized_check,
)
from shared.auth.principals import ClientPrincipal, UserPrincipal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationResult:
    """The result that an evaluation has, and the reasons for it."""

    result: EvaluationResult
    steps: tuple[Step, ...]
    remedies: Remedies | None = None
    grantors: Grantors | None = None


async def explain(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> ExplanationResult:
    """Explain what an evaluation of the same request decides.

    Raises:
        Stale: this replica may not answer now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, SubjectHidden: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision.
    """
    check = ctx.while_fresh(lambda: _check(ctx, principal, request))
    await ctx.reach(
        request.at_least_revision, check, may_learn=lambda: _may_learn(ctx, principal, check)
    )
    return ctx.while_fresh(lambda: _explain(ctx, principal, request))


def _explain(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> ExplanationResult:
    check = _check(ctx, principal, request)
    if isinstance(principal, UserPrincipal) and check.user_id != principal.user_id:
        _require_to_see_members(ctx, principal, check)
    account_id = check.account_id
    known = None if account_id is None else known_account(ctx, account_id)
    if not names_member(known, request.subject_type):
        return ExplanationResult(
            result=EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN),
            steps=steps_of_unknown_subject(request.subject_type),
        )
    rule = partial(
        explain_check,
        asker=Asker(user_id=principal.user_id if isinstance(principal, UserPrincipal) else None),
        project_name=partial(ctx.policy.project_name, account_id or ""),
    )
    found = answer(ctx, check, rule)
    shown = _may_learn(ctx, principal, check)
    return ExplanationResult(
        result=EvaluationResult(
            check=check,
            allowed=found.decision.allowed,
            reason=found.decision.reason,
            decided_by=found.decision.decided_by,
            revision=ctx.revision(account_id) if account_id is not None and shown else None,
        ),
        steps=found.steps,
        remedies=found.remedies,
        grantors=found.grantors,
    )


def _may_learn(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, check: PermissionCheck
) -> bool:
    """Whether the caller may learn of the account."""
    if isinstance(principal, ClientPrincipal):
        return True
    return is_member(ctx, _own_check(principal, check.account_id))


def _check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is to be explained. Whether a user may ask about another one is not tested."""
    if isinstance(principal, ClientPrincipal) or request.subject_type != USER_TYPE:
        return authorized_check(ctx, principal, request)
    own = authorized_check(ctx, principal, replace(request, subject_id=principal.user_id))
    return replace(own, user_id=request.subject_id)


def _require_to_see_members(ctx: Ctx, principal: UserPrincipal, check: PermissionCheck) -> None:
    seeing = _own_check(principal, check.account_id)
    if not answer(ctx, seeing, decide_for_user).allowed:
        raise SubjectHidden


def _own_check(principal: UserPrincipal, account_id: str | None) -> PermissionCheck:
    """The check whether the caller may see the members of the account."""
    return PermissionCheck(
        user_id=principal.user_id,
        session_id=principal.session_id,
        account_id=account_id,
        permission=SEE_MEMBERS,
    )
