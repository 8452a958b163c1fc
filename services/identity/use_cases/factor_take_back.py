"""Taking a first second factor back by the link of the mail that told of it."""

from services.identity.domain import factor_take_back
from services.identity.domain.api_tokens import TokenEnd
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.users import caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.ending_tokens import revoke_tokens_of
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.links import Link


async def link_to_mail(ctx: Ctx, *, user_id: UserId, generation: int) -> Link:
    """Give the link that is about to be mailed.

    Raises:
        LinkInvalid: it is over, and must not be mailed.
    """
    await check(ctx, Link(id=user_id, generation=generation))
    return Link(id=user_id, generation=generation)


async def check(ctx: Ctx, link: Link) -> str:
    """Check a link outside of a write, and give the address of its user.

    Raises:
        LinkInvalid: it is over.
    """
    user_id = UserId(link.id)
    user, factors = await ctx.store.user(user_id), await ctx.store.factors(user_id)
    return factor_take_back.check_take_back(
        user, factors, generation=link.generation, now=ctx.clock.now()
    ).email


async def take_back(ctx: Ctx, caller: Caller, *, token: str) -> WriteResult[None]:
    """Remove the second factors of a user by the mailed link, without a sign-in.

    All sessions, API tokens and other ways to sign in end, and the password, as after the undo of a
    change of address. A repeat changes nothing: no factor, and no password that came later.

    Raises:
        LinkInvalid: the link is forged or over.
    """
    link = ctx.take_back_links.read(token)
    if link is None:
        raise LinkInvalid
    user_id = UserId(link.id)
    user = await ctx.store.user(user_id)
    factors = await ctx.store.factors(user_id)
    if not factor_take_back.taken_back_by(factors, generation=link.generation):
        factor_take_back.check_take_back(
            user, factors, generation=link.generation, now=ctx.clock.now()
        )
    if user is None:
        raise LinkInvalid

    async def change(write: JournalWrite) -> bool:
        current = await ctx.store.user(user_id, write.session)
        factors = await ctx.store.factors(user_id, write.session)
        if factor_take_back.taken_back_by(factors, generation=link.generation):
            return True
        current = factor_take_back.check_take_back(
            current, factors, generation=link.generation, now=write.now
        )
        if not await end_sessions_of(ctx, write, user_id, keep=None):
            return False
        if not await revoke_tokens_of(ctx, write, current, because=TokenEnd.FACTOR_TAKEN_BACK):
            return False
        locked, after, facts = factor_take_back.take_back(current, factors)
        await ctx.store.update_user(current, locked, write.session)
        await ctx.store.delete_identities_of(user_id, write.session)
        await ctx.store.update_factors(factors, after, write.session, rev=write.rev)
        write.record(*facts)
        return True

    actor = caller_as(caller, user)
    while True:  # of very many sessions or tokens the first ones end in writes of their own
        done = await ctx.journal.write(user_id, change, caller=actor, effective_everywhere=True)
        if done.result:
            return WriteResult(result=None, revision=done.revision, effective=done.effective)
