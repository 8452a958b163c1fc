"""Record refusals in the account's journal, for its audit log."""

from services.team.domain.refusals import refused
from services.team.use_cases.context import AccountRequest, ClientRequest, Ctx, with_name
from shared.contracts.facts import ResourceRef
from shared.problems import Refusal


async def record_refusal(
    ctx: Ctx,
    request: AccountRequest | ClientRequest,
    refusal: Refusal,
    *,
    operation: str,
    resource: ResourceRef,
) -> None:
    """Record that a member or a service client tried what they are not allowed to do."""
    if isinstance(request, ClientRequest):
        await _record_of_client(ctx, request, refusal, operation=operation, resource=resource)
        return
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


async def _record_of_client(
    ctx: Ctx,
    request: ClientRequest,
    refusal: Refusal,
    *,
    operation: str,
    resource: ResourceRef,
) -> None:
    """Record it in the log of an account that exists: a client may be bound to every account."""
    if await ctx.store.account(request.account_id) is None:
        return
    fact = refused(refusal, operation=operation, resource=resource, account_id=request.account_id)
    await ctx.journal.refused(request.account_id, fact, caller=request.caller)
