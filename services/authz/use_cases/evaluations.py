"""Answer several access evaluations: in turns of the loop, each from a state that is fresh."""

import asyncio
from collections.abc import Mapping, Sequence

from rolecall.core.condition_work import ConditionWork
from services.authz.domain.batches import (
    MOST_REVISIONS,
    STEPS_OF_EVALUATION,
    STEPS_OF_TURN,
    Semantic,
)
from services.authz.domain.checks import OF_ACTIVE_MEMBERS, OtherSubject, PermissionCheck
from services.authz.domain.evaluations import Evaluated, EvaluationRequest, token_id_of
from services.authz.use_cases.asked_checks import authorized_check
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import is_member, note_active, note_allow, note_denial
from services.authz.use_cases.evaluation import Evaluator
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import Bearer, ClientPrincipal
from shared.http.refusals import BadRequest
from shared.problems import Refusal, Stale

OF_ONE_EVALUATION = (AccountNotBound, TypeNotBound, OtherSubject)
"""What refuses one evaluation of a batch; other refusals are about its caller, or its replica."""

Waited = tuple[str, str | None, str]
"""A revision, and the account and user whose check waits for it."""


async def evaluate_each(
    ctx: Ctx,
    principal: Bearer,
    asked: Sequence[EvaluationRequest | Refusal],
    *,
    semantic: Semantic,
) -> list[Evaluated | Refusal]:
    """Evaluate the requests in their order, as far as the semantic goes.

    The results have the order of what is asked. A request that could not be read is asked as its
    refusal. Each request gets the result that it gets alone, and no result depends on another one.
    Each is as of the turn of the loop in which it was evaluated.

    Raises:
        Stale: this replica may not answer one of them now, or the batch took too long.
        TokenRevoked: the client was deleted, or the caller's session has ended.
        ScopeMissing: the client may not check.
        BadRequest: the requests name too many revisions.
    """
    unfit = await _reach_all(ctx, principal, asked)
    batch = _BatchInTurns(ctx, principal, asked, semantic=semantic, unfit=unfit)
    begun = ctx.clock.boottime()
    ctx.while_fresh(batch.evaluate_some)
    while not batch.complete:
        await ctx.turns.next()
        ctx.while_fresh(batch.evaluate_some)
        if ctx.clock.boottime() - begun > ctx.timeouts.batch:
            raise Stale
    _note(ctx, principal, batch.results)
    return batch.results


def evaluate_each_at_once(
    ctx: Ctx,
    principal: Bearer,
    asked: Sequence[EvaluationRequest],
    *,
    semantic: Semantic,
) -> list[Evaluated | Refusal] | None:
    """Evaluate requests that wait for no revision, as `evaluate_each`.

    `None`: they take more than one turn of the loop.
    """
    if len(asked) * STEPS_OF_EVALUATION > STEPS_OF_TURN:
        return None
    batch = _BatchInTurns(ctx, principal, asked, semantic=semantic, unfit={})
    ctx.while_fresh(batch.evaluate_some)
    if not batch.complete:
        return None
    _note(ctx, principal, batch.results)
    return batch.results


def _note(
    ctx: Ctx,
    principal: Bearer,
    results: Sequence[Evaluated | Refusal],
) -> None:
    """Count the results of a batch, and note what they say of members."""
    evaluated = [one for one in results if isinstance(one, Evaluated)]
    ctx.counter.count_all(evaluated, asked_by=principal)
    now, allows_count = ctx.clock.now(), ctx.allows.any
    for one in evaluated:
        decision, place = one.decision, one.place
        if not decision.allowed:
            denied = one.denied
            if denied is None:
                note_denial(ctx, one.check, decision.reason, now)
            else:
                ctx.denials.note(denied, now)
        elif allows_count:
            note_allow(ctx, one.check, decision.reason, now)
        if not place.active and decision.reason in OF_ACTIVE_MEMBERS:
            place.active = True
            note_active(ctx, place.account_id, place.user_id, token_id_of(one.request), now)


class _BatchInTurns:
    """A batch that is evaluated in turns, in its order."""

    def __init__(
        self,
        ctx: Ctx,
        principal: Bearer,
        asked: Sequence[EvaluationRequest | Refusal],
        *,
        semantic: Semantic,
        unfit: Mapping[str | None, Refusal],
    ) -> None:
        self.results: list[Evaluated | Refusal] = []
        self.complete = False
        self._ctx = ctx
        self._principal = principal
        self._asked = asked
        self._semantic = semantic
        self._unfit = unfit
        self._work = ConditionWork()

    def evaluate_some(self) -> None:
        """Evaluate as much as one turn of the loop may take; call it within `Ctx.while_fresh`."""
        evaluate = Evaluator(self._ctx, self._principal, self._work).evaluate
        work, results, whole = self._work, self.results, self._semantic is Semantic.EXECUTE_ALL
        work.steps = 0
        for request in self._asked[len(results) :]:
            if work.steps >= STEPS_OF_TURN:
                return
            work.steps += STEPS_OF_EVALUATION
            result: Evaluated | Refusal
            if isinstance(request, Refusal):
                result = request
            else:
                try:
                    result = evaluate(request)
                except OF_ONE_EVALUATION as refusal:
                    result = refusal
                else:
                    if self._unfit:
                        result = self._unfit.get(request.at_least_revision, result)
            results.append(result)
            if whole:
                continue
            allowed = isinstance(result, Evaluated) and result.decision.allowed
            if self._semantic.ends_after(allowed=allowed):
                break
        self.complete = True


async def _reach_all(
    ctx: Ctx,
    principal: Bearer,
    asked: Sequence[EvaluationRequest | Refusal],
) -> Mapping[str | None, Refusal]:
    """Wait for all revisions at once; return what is not a revision, each with its refusal."""
    checks = ctx.while_fresh(lambda: _waiting_checks(ctx, principal, asked))
    if len({revision for revision, _, _ in checks}) > MOST_REVISIONS:
        raise BadRequest(errors=[("/evaluations", _TOO_MANY_REVISIONS)])
    own = not isinstance(principal, ClientPrincipal)

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
    principal: Bearer,
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
