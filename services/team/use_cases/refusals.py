"""Record refusals in the account's journal, for its audit log."""

from collections.abc import Sequence

from services.team.domain.refusals import refused
from services.team.use_cases.callers import with_name
from services.team.use_cases.context import AccountRequest, ClientRequest, Ctx
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
        await record_refusals(ctx, request, [(refusal, resource)], operation=operation)
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


async def record_refusals(
    ctx: Ctx,
    request: ClientRequest,
    refusals: Sequence[tuple[Refusal, ResourceRef]],
    *,
    operation: str,
) -> None:
    """Record together what a service client tried in one request, and about which resource.

    An account that does not exist has no log: a client may be bound to every account.
    """
    if not refusals or await ctx.store.account(request.account_id) is None:
        return
    facts = [
        refused(refusal, operation=operation, resource=resource, account_id=request.account_id)
        for refusal, resource in refusals
    ]
    await ctx.journal.refused(request.account_id, *facts, caller=request.caller)
