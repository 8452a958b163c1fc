"""Verification of an e-mail address: the link is mailed, resent and used."""

from services.identity.domain import sessions, verification
from services.identity.domain.users import User, caller_as
from services.identity.domain.verification import LinkInvalid
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import mail_limits_of, rate_limited
from services.identity.use_cases.sessions import SignedIn, new_session
from shared.addresses import Address, parse_address
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite
from shared.links import Link
from shared.mongo import AlreadyThere
from shared.problems import Invalid


async def verify(ctx: Ctx, caller: Caller, *, token: str, code: str | None) -> SignedIn:
    """Verify an address by its mailed link and sign in (B1).

    Other users that signed up with the address and did not verify it are deleted.

    Raises:
        LinkInvalid: the link is forged, used, superseded or expired.
    """
    link = ctx.verification_links.read(token)
    if link is None or (code is not None and not ctx.verification_links.fits(link, code)):
        raise LinkInvalid
    found = await ctx.store.user(UserId(link.id))
    if found is None:
        raise LinkInvalid
    session = new_session(ctx, found)

    async def change(write: JournalWrite) -> User:
        user = await ctx.store.user(found.id, write.session)
        if user is None:
            raise LinkInvalid
        verified, facts = verification.verify(
            user,
            generation=link.generation,
            verified_user=await ctx.store.verified_user(user.email_key, write.session),
            now=write.now,
        )
        if facts:
            await ctx.store.update_user(user, verified, write.session)
            await ctx.store.delete_unverified_users(user.email_key, write.session)
        await ctx.store.insert_session(session, write.session)
        write.record(*facts, sessions.started(session))
        return verified

    actor = caller_as(caller, found, session_id=session.id)
    try:
        result = await ctx.journal.write(found.id, change, caller=actor, effective_everywhere=False)
    except AlreadyThere as there:
        raise LinkInvalid from there
    return SignedIn(user=result.result, session=session)


async def resend(ctx: Ctx, caller: Caller, *, email: str) -> None:
    """Have another link mailed to the newest unverified user of an address, if there is one.

    Raises:
        Invalid, TooManyRequests: the same for every address.
    """
    address = _parse(email)
    began = ctx.clock.boottime()
    async with rate_limited(ctx, *mail_limits_of(ctx, caller, address.key)):
        verified_user = await ctx.store.verified_user(address.key)
        newest = await ctx.store.newest_unverified_user(address.key)
        now = ctx.clock.now()
        if newest and verification.may_resend(newest, verified_user=verified_user, now=now):
            await _resend(ctx, caller, newest.id)
    await ctx.pad_response_time(began)


async def link_to_mail(ctx: Ctx, *, user_id: UserId, generation: int) -> Link:
    """Return the verification link that is about to be mailed.

    Raises:
        LinkInvalid: the link is used, superseded or expired, and must not be mailed.
    """
    user = verification.check_mailable(
        await ctx.store.user(user_id), generation=generation, now=ctx.clock.now()
    )
    return Link(id=user.id, generation=generation)


async def _resend(ctx: Ctx, caller: Caller, user_id: UserId) -> None:
    async def change(write: JournalWrite) -> None:
        user = await ctx.store.user(user_id, write.session)
        if user is None:
            return
        asked, facts = verification.resend(user)
        if facts:
            await ctx.store.update_user(user, asked, write.session)
            write.record(*facts)

    await ctx.journal.write(user_id, change, caller=caller, effective_everywhere=False)


def _parse(email: str) -> Address:
    try:
        return parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem
