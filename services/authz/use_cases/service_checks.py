"""Answer the check of another Rolecall service."""

from services.authz.domain import checks
from services.authz.domain.checks import PermissionCheck
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.decisions import answer, is_member, note_decision
from shared.contracts.calls.authz import CheckResult


async def check_for_service(
    ctx: Ctx, check: PermissionCheck, *, at_least_revision: str | None
) -> CheckResult:
    """Decide a check of another Rolecall service.

    Raises:
        Stale: this replica may not answer now.
        BadRequest: `at_least_revision` is not a revision.
    """
    await ctx.reach(at_least_revision, check, may_learn=lambda: is_member(ctx, check))
    result = ctx.while_fresh(lambda: _answer(ctx, check))
    note_decision(ctx, check, result.reason)
    return result


def _answer(ctx: Ctx, check: PermissionCheck) -> CheckResult:
    return answer_by_token(ctx, check) or answer(ctx, check, checks.check_for_service)


def answer_by_token(ctx: Ctx, check: PermissionCheck) -> CheckResult | None:
    """Give the check its API token; return the answer if that token is over.

    Call it within `Ctx.while_fresh`.
    """
    if check.token_id is None:
        return None
    token = ctx.callers.api_token(check.token_id)
    if token is None:
        return CheckResult(allowed=False, member=False, session_ended=True)
    check.user_id, check.token = token.user_id, token.subject
    return None
