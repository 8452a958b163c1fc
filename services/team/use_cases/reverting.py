"""Turn a team into a personal account again."""

from dataclasses import replace

from services.team.domain import guardrail_rules, reverting
from services.team.domain.account_access import AccountAccess
from services.team.domain.reverting import OthersRows
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from shared.journal import WriteResult


async def revert(ctx: Ctx, request: AccountRequest, *, confirm: str) -> WriteResult[AccountAccess]:
    """End all that others have in the team, in one transaction (`Rp3`).

    Raises:
        OwnerOnly, NoConversion, ConversionIrreversible, AlreadyPersonal, ConfirmationWrong,
            RoleInGuardrail: see the domain.
    """

    async def change(write: AccountWrite) -> AccountAccess:
        access = write.access
        reverting.require_revertible(access, confirm=confirm)
        guardrail_rules.require_unnamed(access.account, access.account.roles)
        others = OthersRows(
            members=await write.members(),
            overrides=await write.all_overrides(),
            invitations=await write.pending_invitations(),
        )
        personal, facts = reverting.revert(access, others)
        await write.end_others(personal.owner_user_id)
        write.account = personal
        write.record(*facts)
        return replace(access, account=personal, catalog=await ctx.store.catalog_of(personal))

    return await ctx.change(request, change, effective_everywhere=True)
