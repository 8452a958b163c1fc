"""Verification of an address: the mailed link, used with a password, makes the user (B1)."""

from services.identity.domain import sessions, sign_up, verification
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.passwords import check_password
from services.identity.domain.sign_up import PendingSignUp
from services.identity.domain.users import caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.personal_accounts import with_personal_account
from services.identity.use_cases.rate_limits import mailed_link_limit_of, rate_limited
from services.identity.use_cases.sessions import SignedIn, new_session
from services.identity.use_cases.sign_up import new_user
from shared.addresses import Address
from shared.contracts.facts import Caller
from shared.ids import SignUpId
from shared.journal import JournalWrite
from shared.links import Link
from shared.mongo import AlreadyThere
from shared.names import parse_name
from shared.problems import Invalid


async def verify(
    ctx: Ctx, caller: Caller, *, token: str, code: str | None, name: str | None, password: str
) -> SignedIn:
    """Prove an address by its mailed link: create the user with this password, and sign in.

    Team makes the personal account before the answer, if it can in time. The same request repeated
    within a minute gives the same session, while it lives and was not refreshed.

    Raises:
        LinkInvalid: the link is forged, used, superseded or expired.
        Invalid: the name or the password is not allowed; the link stays valid.
        TooManyRequests: this network sent too many passwords with links that are not valid.
        HashingBusy: too many passwords wait already.
    """
    link = ctx.sign_up_links.read(token)
    if link is None or (code is not None and not ctx.sign_up_links.fits(link, code)):
        raise LinkInvalid
    pending = await ctx.store.sign_up(SignUpId(link.id))
    pending = verification.check_link(pending, generation=link.generation, now=ctx.clock.now())
    limit = mailed_link_limit_of(ctx, caller)
    async with rate_limited(ctx, limit, counted=(LinkInvalid,)) as attempts:
        made = None
        if pending.used_at is None:
            name = _checked_name(name, pending)
            check_password(
                password,
                field="password",
                names=[name, pending.name],
                email=pending.email,
                product=ctx.settings.product_name,
            )
            password_hash = await ctx.hasher.hash(password, attempts=attempts)
            made = await _use(ctx, caller, pending, name=name, password_hash=password_hash)
        if made is None:
            made = await _repeated(ctx, link, password, attempts=attempts)
    return await with_personal_account(ctx, made)


async def link_to_mail(ctx: Ctx, *, sign_up_id: SignUpId, generation: int) -> Link:
    """Give the link that is about to be mailed.

    Raises:
        LinkInvalid: the link is used, superseded or expired, and must not be mailed.
    """
    pending = verification.check_mailable(
        await ctx.store.sign_up(sign_up_id), generation=generation, now=ctx.clock.now()
    )
    return Link(id=pending.id, generation=generation)


async def _use(
    ctx: Ctx, caller: Caller, pending: PendingSignUp, *, name: str, password_hash: str
) -> SignedIn | None:
    """Create the user and use up the link; `None` if another request has used it just now."""
    address = Address(typed=pending.email, key=pending.email_key)
    user = new_user(
        ctx,
        caller,
        address=address,
        name=name,
        password_hash=password_hash,
        locale=pending.locale,
    )
    session = new_session(ctx, caller, user)

    async def change(write: JournalWrite) -> SignedIn | None:
        current = verification.check_link(
            await ctx.store.sign_up(pending.id, write.session),
            generation=pending.generation,
            now=write.now,
        )
        if current.used_at is not None:
            return None
        if await ctx.store.user_of(user.email_key, write.session) is not None:
            raise LinkInvalid
        used = verification.use(current, session, now=write.now)
        await ctx.store.save_sign_up(current, used, write.session)
        await ctx.store.insert_users([user], write.session)
        await ctx.store.insert_session(session, write.session)
        write.record(*sign_up.signed_up(user), sessions.started(session))
        return SignedIn(user=user, session=session)

    actor = caller_as(caller, user, session_id=session.id)
    try:
        result = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    except AlreadyThere as there:
        raise LinkInvalid from there
    return result.result


async def _repeated(ctx: Ctx, link: Link, password: str, *, attempts: int) -> SignedIn:
    """Give the session of a link that was used just now, to the request that set the password."""
    pending = verification.check_link(
        await ctx.store.sign_up(SignUpId(link.id)),
        generation=link.generation,
        now=ctx.clock.now(),
    )
    known = pending.session_id
    session = None if known is None else await ctx.store.session_by_id(known)
    session = verification.repeated(session, now=ctx.clock.now())
    user = await ctx.store.user(session.user_id)
    if user is None or not await ctx.hasher.verify(user.password_hash, password, attempts=attempts):
        raise LinkInvalid
    return SignedIn(user=user, session=session)


def _checked_name(name: str | None, pending: PendingSignUp) -> str:
    if name is None:
        return pending.name
    try:
        return parse_name(name)
    except ValueError as problem:
        raise Invalid(errors=[("/name", str(problem))]) from problem
