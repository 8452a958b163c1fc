"""An invitation whose mail could not be delivered."""

from services.team.domain.invitation_bounces import bounce
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import Ctx, NonMemberRequest
from shared.contracts.facts import Caller
from shared.ids import AccountId, InvitationId
from shared.journal import Guard


async def mark_bounced(
    ctx: Ctx,
    *,
    account_id: AccountId,
    invitation_id: InvitationId,
    generation: int,
    reply: str,
    because: str | None,
    caller: Caller,
    guard: Guard,
) -> None:
    """Show in the account's lists that the mail did not arrive, and have the inviter told.

    Nothing changes if the invitation is closed, or was sent again since.
    """

    async def change(write: AccountWrite) -> None:
        if write.account is None:
            return
        found = await write.invitation(invitation_id)
        bounced = bounce(
            found,
            account=write.account,
            catalog=await ctx.store.catalog_of(write.account),
            generation=generation,
            reply=reply,
            because=because,
            now=write.now,
        )
        if bounced is None:
            return
        invitation, fact = bounced
        await write.replace_invitations([invitation])
        write.record(fact)

    request = NonMemberRequest(caller=caller, account_id=account_id, guard=guard)
    await ctx.change(request, change, effective_everywhere=False)
