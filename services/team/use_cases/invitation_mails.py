"""The places of invitation mails in a mailbox, which all accounts share (`T14`)."""

from services.team.domain.invitation_mails import ESTABLISHED, MailboxPlace, accepted_mailboxes
from services.team.domain.invitations import Invitation
from services.team.use_cases.context import Ctx
from shared.mailboxes import mailbox_key


async def takes_place(ctx: Ctx, invitation: Invitation) -> bool:
    """Count the mail of the newest link for its mailbox; return whether it may be sent now."""
    place = await _place(ctx, invitation, generation=invitation.generation)
    limit = ctx.settings.mails_per_address
    return place is None or await ctx.store.take_place(
        mailbox_key(invitation.email_key), place, limit=limit
    )


async def next_mail_waits(ctx: Ctx, invitation: Invitation) -> bool:
    """Whether the mail of another link would have to wait for its mailbox."""
    place = await _place(ctx, invitation, generation=invitation.generation + 1)
    limit = ctx.settings.mails_per_address
    return place is not None and not await ctx.store.has_place(
        mailbox_key(invitation.email_key), place, limit=limit
    )


async def _place(ctx: Ctx, invitation: Invitation, *, generation: int) -> MailboxPlace | None:
    """The place that the mail of a link needs.

    An account whose invitation the address has accepted before needs none.
    """
    account_id = invitation.account_id
    if await ctx.store.accepted_before(account_id, invitation.email_key):
        return None
    members = await ctx.store.members(account_id)
    return MailboxPlace(
        link=f"{invitation.invitation_id}/{generation}",
        established=accepted_mailboxes(members) >= ESTABLISHED,
        at=ctx.clock.now(),
        account=account_id,
    )
