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
    result = ctx.while_fresh(lambda: answer(ctx, check, checks.check_for_service))
    note_decision(ctx, check, result.reason)
    return result
