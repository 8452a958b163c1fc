"""Decide whether a member may make an API token."""

from rolecall import Resource, milliseconds
from services.authz.domain import checks
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.new_tokens import answer_new_token
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member, known_account, note_decision
from services.authz.use_cases.service_checks import answer_by_token
from shared.auth.api_tokens import restriction_of
from shared.contracts.calls.authz import CheckResult, NewTokenAnswer, NewTokenRequest
from shared.ids import TokenId


async def decide(ctx: Ctx, request: NewTokenRequest) -> NewTokenAnswer:
    """Decide whether the member may make tokens, and what speaks against these limits.

    Raises:
        Stale: this replica may not answer now.
        BadRequest: `at_least_revision` is not a revision.
    """
    check = PermissionCheck(
        user_id=request.user_id,
        session_id=request.session_id or None,
        token_id=None if request.token_id is None else TokenId(request.token_id),
        account_id=request.account_id,
        permission=request.permission,
        resource=Resource(owner_id=request.owner_id),
    )
    await ctx.reach(request.at_least_revision, check, may_learn=lambda: is_member(ctx, check))
    result = ctx.while_fresh(lambda: _answer(ctx, check, request))
    note_decision(ctx, check, result.reason)
    return result


def _answer(ctx: Ctx, check: PermissionCheck, request: NewTokenRequest) -> NewTokenAnswer:
    ended = answer_by_token(ctx, check)
    result: CheckResult = ended or answer(ctx, check, checks.check_for_service)
    account = known_account(ctx, request.account_id)
    if not result.allowed or account is None:
        return NewTokenAnswer(**result.model_dump())
    limits = request.limits
    return answer_new_token(
        result,
        account,
        account.members[check.user_id],
        asked=restriction_of(limits.projects, limits.grants, read_only=limits.read_only),
        by=check.token,
        now=milliseconds(ctx.clock.now()),
    )
