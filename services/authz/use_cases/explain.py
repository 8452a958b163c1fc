"""Explain a check to a service client, its user, or a member who may see the members."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from rolecall import Decision, Reason, Step
from rolecall.core.parts import Running
from services.authz.domain.checks import (
    SUBJECT_AMBIGUOUS,
    SUBJECT_UNKNOWN,
    TOKEN_TYPE,
    USER_TYPE,
    PermissionCheck,
    decide_for_user,
    names_member,
)
from services.authz.domain.evaluations import EvaluationRequest, EvaluationResult, check_of
from services.authz.domain.explaining import (
    SEE_MEMBERS,
    Asker,
    RemedySearch,
    SubjectHidden,
    WouldAllow,
    explain_check,
    steps_of_name,
    steps_of_unknown_subject,
    steps_of_unknown_token,
    would_allow,
)
from services.authz.domain.named_checks import is_user_id, require_owner, with_named_owner
from services.authz.use_cases.asked_checks import authorized_check, is_shared, token_of
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member, known_account
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.problems import Stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationResult:
    """The result that an evaluation has, and the reasons for it."""

    result: EvaluationResult
    steps: tuple[Step, ...]
    would_allow: WouldAllow | None = None


async def explain(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> ExplanationResult:
    """Explain what an evaluation of the same request decides, as of one turn of the loop.

    What would allow it is found in further turns, from the state of the first one. The caller must
    be allowed to ask in the last one, too.

    Raises:
        Stale: this replica may not answer now, or the answer took too long.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing, AccountNotBound, TypeNotBound, SubjectHidden: the caller may not ask this.
        BadRequest: `at_least_revision` is not a revision.
        Invalid: the owner is named by a text that names no member.
    """
    check = ctx.while_fresh(lambda: _check(ctx, principal, request))
    await ctx.reach(
        request.at_least_revision, check, may_learn=lambda: _may_learn(ctx, principal, check)
    )
    begun = ctx.clock.boottime()
    told, sought = ctx.while_fresh(lambda: _explain(ctx, principal, request))
    if sought is None:
        return told
    running = Running(would_allow(sought))
    while not running.run_part():
        await ctx.turns.next()
        ctx.while_fresh(lambda: _authorize(ctx, principal, request))
        if ctx.clock.boottime() - begun > ctx.timeouts.batch:
            raise Stale
    return dataclasses.replace(told, would_allow=running.answer)


def _explain(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> tuple[ExplanationResult, RemedySearch | None]:
    check = _authorize(ctx, principal, request)
    account_id = check.account_id
    known = None if account_id is None else known_account(ctx, account_id)
    if check.token is None and not names_member(known, request.subject_type):
        return unknown_subject(check, request), None
    rule = partial(
        explain_check,
        asker=asker_of(principal),
        with_factor=ctx.sign_ins.second_factor_users,
        project_name=partial(ctx.policy.project_name, account_id or ""),
    )
    found = answer(ctx, check, rule)
    shown = _may_learn(ctx, principal, check)
    revision = ctx.revision(account_id) if account_id is not None and shown else None
    told = explanation_result(check, found.decision, found.steps, revision=revision)
    if names_no_member(told):
        return told_of_name(told, shared=is_shared(ctx, account_id, check.user_id)), None
    return told, found.sought


def explanation_result(
    check: PermissionCheck,
    decision: Decision,
    steps: tuple[Step, ...],
    *,
    revision: str | None,
    at: datetime | None = None,
) -> ExplanationResult:
    """The result of a decision with its steps; `at` is the past time that it is about."""
    result = EvaluationResult(
        check=check,
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        revision=revision,
        at=at,
    )
    return ExplanationResult(result=result, steps=steps)


def names_no_member(told: ExplanationResult) -> bool:
    """Whether the subject was named by a text that is neither a user's id nor names a member."""
    return told.result.reason == Reason.NOT_A_MEMBER and not is_user_id(told.result.check.user_id)


def told_of_name(told: ExplanationResult, *, shared: bool) -> ExplanationResult:
    """The same explanation with what is wrong with the name; several members share it, or none."""
    result = told.result
    steps = steps_of_name(
        told.steps, result.check.user_id, shared=shared, past=result.at is not None
    )
    reason = SUBJECT_AMBIGUOUS if shared else result.reason
    return ExplanationResult(result=replace(result, reason=reason), steps=steps)


def unknown_subject(check: PermissionCheck, request: EvaluationRequest) -> ExplanationResult:
    """The result for a type of subject that names no member, or for no live API token."""
    if request.subject_type == TOKEN_TYPE:
        steps = steps_of_unknown_token(request.subject_id, past=request.at is not None)
    else:
        steps = steps_of_unknown_subject(request.subject_type)
    return ExplanationResult(
        result=EvaluationResult(check=check, allowed=False, reason=SUBJECT_UNKNOWN, at=request.at),
        steps=steps,
    )


def asker_of(principal: ClientPrincipal | UserPrincipal) -> Asker:
    """Who asks."""
    return Asker(user_id=principal.user_id if isinstance(principal, UserPrincipal) else None)


def _may_learn(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, check: PermissionCheck
) -> bool:
    """Whether the caller may learn of the account."""
    if isinstance(principal, ClientPrincipal):
        return True
    return is_member(ctx, _own_check(principal, check.account_id))


def _authorize(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is to be explained, if the caller may ask for that.

    Who may see the members may name its subject and its owner by external ids, too.
    """
    check = _check(ctx, principal, request)
    account_id, ids = check.account_id, ctx.policy.external_ids
    if isinstance(principal, UserPrincipal):
        sees = answer(ctx, _own_check(principal, account_id), decide_for_user).allowed
        if not sees and check.user_id != principal.user_id:
            raise SubjectHidden
        if not sees or account_id is None:
            return check
        named = replace(check, user_id=ids.user(account_id, check.user_id))
        check = with_named_owner(named, ids, own=False)
    owner_id = check.resource.owner_id
    if account_id is not None and ctx.policy.account(account_id) is not None:
        require_owner(owner_id, shared=is_shared(ctx, account_id, owner_id or ""))
    return check


def _check(
    ctx: Ctx, principal: ClientPrincipal | UserPrincipal, request: EvaluationRequest
) -> PermissionCheck:
    """The check that is to be explained. Whether a user may ask about another one is not tested."""
    asked_about = (USER_TYPE, TOKEN_TYPE)
    if isinstance(principal, ClientPrincipal) or request.subject_type not in asked_about:
        return authorized_check(ctx, principal, request)
    oneself = replace(request, subject_type=USER_TYPE, subject_id=principal.user_id)
    own = authorized_check(ctx, principal, oneself)
    if request.subject_type == USER_TYPE:
        return replace(own, user_id=request.subject_id)
    token = token_of(ctx, request)
    if token is None:
        return check_of(request, own.account_id, request.subject_id)
    return check_of(request, own.account_id, token.user_id, token.subject)


def _own_check(principal: UserPrincipal, account_id: str | None) -> PermissionCheck:
    """The check whether the caller may see the members of the account."""
    return PermissionCheck(
        user_id=principal.user_id,
        session_id=principal.session_id,
        account_id=account_id,
        permission=SEE_MEMBERS,
    )
