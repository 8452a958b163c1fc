"""Record refusals in the account's journal, for its audit log."""

from services.team.domain.refusals import refused
from services.team.use_cases.context import AccountRequest, Ctx, with_name
from shared.contracts.facts import ResourceRef
from shared.problems import Refusal


async def record_refusal(
    ctx: Ctx,
    request: AccountRequest,
    refusal: Refusal,
    *,
    operation: str,
    resource: ResourceRef,
) -> None:
    """Record that a member tried an operation that they are not allowed to do."""
    fact = refused(
        refusal,
        operation=operation,
        resource=resource,
        account_id=request.account_id,
        permission=str(refusal.members.get("permission", request.permission)),
        project_id=request.project_id,
    )
    member = await ctx.store.member(request.account_id, request.user_id)
    caller = request.caller
    if member is not None:
        caller = with_name(caller, name=member.name, email=member.email)
    await ctx.journal.refused(request.account_id, fact, caller=caller)
