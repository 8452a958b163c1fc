"""Answer several access evaluations at once, from one state and with one test of the leases."""

import asyncio
from collections.abc import Mapping, Sequence

from services.authz.domain.batches import MOST_REVISIONS, Semantic
from services.authz.domain.checks import OtherSubject, PermissionCheck
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import is_member, note_activity, note_denial
from services.authz.use_cases.evaluation import (
    EvaluationRequest,
    EvaluationResult,
    Evaluator,
    authorized_check,
)
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.refusals import BadRequest
from shared.problems import Refusal

OF_ONE_EVALUATION = (AccountNotBound, TypeNotBound, OtherSubject)
"""What refuses one evaluation of a batch; other refusals are about its caller, or its replica."""

Waited = tuple[str, str | None, str]
"""A revision, and the account and user whose check waits for it."""


async def evaluate_each(
    ctx: Ctx,
    principal: ClientPrincipal | UserPrincipal,
    asked: Sequence[EvaluationRequest | Refusal],
    *,
    semantic: Semantic,
) -> list[EvaluationResult | Refusal]:
    """Evaluate the requests in their order, as far as the semantic goes.

    The results have the order of what is asked. A request that could not be read is asked as its
    refusal. Each request gets the result that it gets alone, and no result depends on another one.

    Raises:
        Stale: this replica may not answer one of them now.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing: the client may not check.
        BadRequest: the requests name too many revisions.
    """
    unfit = await _reach_all(ctx, principal, asked)

    def evaluate(
        evaluator: Evaluator, request: EvaluationRequest | Refusal
    ) -> EvaluationResult | Refusal:
        if isinstance(request, Refusal):
            return request
        try:
            result = evaluator.evaluate(request)
        except OF_ONE_EVALUATION as refusal:
            return refusal
        return unfit.get(request.at_least_revision, result)

    def evaluate_in_order() -> list[EvaluationResult | Refusal]:
        evaluator = Evaluator(ctx, principal)
        results: list[EvaluationResult | Refusal] = []
        for request in asked:
            result = evaluate(evaluator, request)
            results.append(result)
            if semantic.ends_after(allowed=isinstance(result, EvaluationResult) and result.allowed):
                break
        return results

    results = ctx.while_fresh(evaluate_in_order)
    noted: set[tuple[str | None, str, str]] = set()
    for result in results:
        if isinstance(result, EvaluationResult):
            ctx.counter.count(result.check, allowed=result.allowed, reason=result.reason)
            note_denial(ctx, result.check, result.reason)
            key = result.check.account_id, result.check.user_id, result.reason
            if key not in noted:
                noted.add(key)
                note_activity(ctx, result.check, result.reason)
    return results


async def _reach_all(
    ctx: Ctx,
    principal: ClientPrincipal | UserPrincipal,
    asked: Sequence[EvaluationRequest | Refusal],
) -> Mapping[str | None, Refusal]:
    """Wait for all revisions at once; return what is not a revision, each with its refusal."""
    checks = ctx.while_fresh(lambda: _waiting_checks(ctx, principal, asked))
    if len({revision for revision, _, _ in checks}) > MOST_REVISIONS:
        raise BadRequest(errors=[("/evaluations", _TOO_MANY_REVISIONS)])
    own = isinstance(principal, UserPrincipal)

    async def reach(revision: str, check: PermissionCheck) -> Refusal | None:
        try:
            await ctx.reach(revision, check, may_learn=lambda: not own or is_member(ctx, check))
        except BadRequest as refusal:
            return refusal
        return None

    reached = await asyncio.gather(
        *(reach(revision, check) for (revision, _, _), check in checks.items())
    )
    return {
        revision: refusal
        for (revision, _, _), refusal in zip(checks, reached, strict=True)
        if refusal is not None
    }


def _waiting_checks(
    ctx: Ctx,
    principal: ClientPrincipal | UserPrincipal,
    asked: Sequence[EvaluationRequest | Refusal],
) -> dict[Waited, PermissionCheck]:
    """One check for each revision, account and user that an evaluation waits for."""
    checks: dict[Waited, PermissionCheck] = {}
    for request in asked:
        if isinstance(request, Refusal) or request.at_least_revision is None:
            continue
        try:
            check = authorized_check(ctx, principal, request)
        except OF_ONE_EVALUATION:
            continue
        checks.setdefault((request.at_least_revision, check.account_id, check.user_id), check)
    return checks


_TOO_MANY_REVISIONS = (
    f"The evaluations may name {MOST_REVISIONS} different revisions. Send several requests."
)
