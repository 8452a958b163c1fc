"""What team does once, for all of its processes, about the facts of identity and notification."""

from services.team.use_cases.accounts import VerifiedUser, open_personal
from services.team.use_cases.context import Ctx
from services.team.use_cases.invitation_bounces import mark_bounced
from services.team.use_cases.user_release import forget_erased
from shared.addresses import parse_address
from shared.contracts import identity, identity_addresses, identity_erasure, notification
from shared.contracts.facts import Row
from shared.contracts.registry import payload_of
from shared.ids import AccountId, InvitationId, UserId
from shared.inbox import AppliedMark, Subscriptions, caller_for
from shared.mongo import DbSession, transact


async def on_verified(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Create the personal account of a user who has proved the address.

    A sign-up without that proof creates nothing.
    """
    user = payload_of(row)
    if isinstance(user, identity.UserSignedUp) and not user.verified:
        return
    if isinstance(user, identity.UserProvisioned) and not user.verified:
        return
    if not isinstance(
        user, identity.UserSignedUp | identity.UserVerified | identity.UserProvisioned
    ):
        raise ValueError(f"{row.type} is not about a new user")
    verified = VerifiedUser(
        user_id=UserId(user.user_id),
        account_id=AccountId(user.account_id),
        email=user.email,
        name=user.name,
    )
    caller = caller_for(row, service="team")
    await open_personal(ctx, verified, caller=caller, position=row.position, guard=applied_mark)


async def on_changed(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Update the copies of the user's name and address.

    A fact older than the last one changes nothing.
    """
    user = payload_of(row)
    if not isinstance(
        user,
        identity.UserRenamed
        | identity_addresses.UserEmailChanged
        | identity_addresses.UserEmailRestored,
    ):
        raise ValueError(f"{row.type} is not about a name or an address")

    async def change(session: DbSession) -> None:
        await applied_mark(session)
        await ctx.store.learn_person(
            user_id=UserId(user.user_id),
            name=user.name,
            address=parse_address(user.email),
            position=row.position,
            session=session,
        )

    await transact(ctx.client, change)


async def on_erased(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Drop the copies of the name and address, and end what a user got while they were erased."""
    user = payload_of(row)
    if not isinstance(user, identity_erasure.UserErased):
        raise ValueError(f"{row.type} is not about an erased user")
    await forget_erased(
        ctx,
        UserId(user.user_id),
        home=AccountId(user.account_id),
        position=row.position,
        caller=caller_for(row, service="team"),
        guard=applied_mark,
    )


async def on_bounced(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Mark the invitation whose mail could not be delivered; other mails mark nothing."""
    bounced = payload_of(row)
    if not isinstance(bounced, notification.MessageBounced):
        raise ValueError(f"{row.type} is not about a mail")
    if row.account_id is None or bounced.invitation_id is None or bounced.generation is None:
        return
    await mark_bounced(
        ctx,
        account_id=AccountId(row.account_id),
        invitation_id=InvitationId(bounced.invitation_id),
        generation=bounced.generation,
        reply=bounced.reply,
        because=bounced.because,
        caller=caller_for(row, service="team"),
        guard=applied_mark,
    )


SUBSCRIPTIONS: Subscriptions = {
    identity.UserSignedUp.type: on_verified,
    identity.UserVerified.type: on_verified,
    identity.UserProvisioned.type: on_verified,
    identity.UserRenamed.type: on_changed,
    identity_addresses.UserEmailChanged.type: on_changed,
    identity_addresses.UserEmailRestored.type: on_changed,
    identity_erasure.UserErased.type: on_erased,
    notification.MessageBounced.type: on_bounced,
}
