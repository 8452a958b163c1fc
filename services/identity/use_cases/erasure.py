"""Erasure: a user deletes themselves, in steps that can be repeated after a failure at each one."""

from services.identity.domain import erasure, sessions
from services.identity.domain.erasure import Farewell, OwnsTeams
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.use_cases.api_tokens import end_tokens_of
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.sessions import active_session, require_session
from shared.auth.principals import UserPrincipal
from shared.contracts.calls.team import USER_RELEASE, UserReleaseRequest
from shared.contracts.facts import Caller
from shared.contracts.topology import Service
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.problems import TokenRevoked, Unavailable


async def erase(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, confirm: str
) -> WriteResult[None]:
    """Erase the user of the request, and free the address.

    Team first ends the memberships. Until the last write is committed the user can sign in, and
    repeat what was not done. That write ends all else; it is answered when it is in force
    everywhere.

    Raises:
        Invalid: `confirm` is not the user's address.
        OwnsTeams: the user owns accounts that have other members.
        StepUpRequired, TokenRevoked.
        Unavailable: team does not answer, or an end is not in force everywhere yet.
    """
    acting = await active_session(ctx, principal)
    user_id = acting.user.id
    erasure.require_confirmation(acting.user, confirm)
    sessions.require_proof(acting.session, now=ctx.clock.now())
    released = await ctx.internal.call(
        USER_RELEASE, Service.TEAM, UserReleaseRequest(user_id=user_id)
    )
    if released.owned:
        raise OwnsTeams(accounts=[one.account_name for one in released.owned])
    if not released.effective:
        raise Unavailable

    async def change(write: JournalWrite) -> bool:
        own = await require_session(ctx, write, principal)
        sessions.require_proof(own, now=write.now)
        user = await ctx.store.user(user_id, write.session)
        if user is None:
            raise TokenRevoked
        erasure.require_confirmation(user, confirm)
        if not await end_sessions_of(ctx, write, user_id, keep=own.id):
            return False
        if not await end_tokens_of(ctx, write, erasure.nameless(user)):
            return False
        await end_sessions_of(ctx, write, user_id, keep=None)
        tombstone, fact = erasure.erase(user, now=write.now, rev=write.rev)
        await ctx.store.erase_user(user, tombstone, now=write.now, session=write.session)
        await ctx.store.delete_identities_of(user_id, write.session)
        await ctx.store.delete_factors(user_id, write.session)
        await ctx.store.delete_external_ids_of(user_id, write.session)
        farewell = erasure.farewell(user, now=write.now)
        await ctx.store.insert_farewell(farewell, write.session)
        write.record(fact)
        return True

    actor = erasure.nameless_caller(caller)
    while True:
        done = await ctx.journal.write(user_id, change, caller=actor, effective_everywhere=True)
        if done.result:
            return WriteResult(result=None, revision=done.revision, effective=done.effective)


async def farewell_to_mail(ctx: Ctx, user_id: UserId) -> Farewell:
    """Return to whom the last mail goes.

    Raises:
        LinkInvalid: it was sent, or its time is over.
    """
    found = await ctx.store.farewell(user_id)
    if found is None or found.delete_at <= ctx.clock.now():
        raise LinkInvalid
    return found


async def forget_farewell(ctx: Ctx, user_id: UserId) -> None:
    """Delete the name and address for which no more mail is to be sent."""
    await ctx.store.delete_farewell(user_id)
