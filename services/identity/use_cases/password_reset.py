"""Password reset: a user who cannot sign in gets a mailed link and sets a new password (B1)."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from services.identity.domain import password_reset
from services.identity.domain.mail_budgets import MailKind
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.other_access import EndAccess
from services.identity.domain.passwords import check_password
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.mail_budgets import Addressee, Mail, request_mail
from services.identity.use_cases.other_access import end_other_access
from services.identity.use_cases.passwords import replace_password
from services.identity.use_cases.rate_limits import mailed_link_limit_of, rate_limited
from shared.addresses import parse_address
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.links import Link
from shared.mongo import DbSession
from shared.problems import Invalid


async def forgot(ctx: Ctx, caller: Caller, *, email: str) -> None:
    """Have a link mailed to the user of an address, if there is one.

    Beyond the mailbox's budget nothing is mailed, and the newest mailed link keeps working.

    Raises:
        Invalid, TooManyRequests: the same for every address (`T9`).
    """
    try:
        address = parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem

    def mail_of(addressee: Addressee, now: datetime) -> Mail | None:
        user = addressee.user
        if user is None:
            return None
        requested, fact = password_reset.request(user, now=now)
        return Mail(fact=fact, save=partial(ctx.store.update_user, user, requested))

    await request_mail(ctx, caller, address.key, kind=MailKind.PASSWORD_RESET, mail_of=mail_of)


@dataclass(frozen=True, kw_only=True)
class NewPassword:
    """The password that a reset sets, and what it ends besides sessions."""

    text: str
    end_access: EndAccess


async def reset(ctx: Ctx, caller: Caller, *, token: str, new: NewPassword) -> WriteResult[None]:
    """Set the password by the mailed link, and end every session of the user everywhere.

    API tokens and linked identities end as the person chose. The same request repeated within a
    minute gives the same answer; it ends what it asks for and the first one did not.

    Raises:
        LinkInvalid: the link is forged, used, superseded or expired.
        Invalid: the password is not allowed; the link stays valid.
        TooManyRequests: this network sent too many passwords with links that are not valid.
        HashingBusy: too many passwords wait already.
    """
    link = ctx.reset_links.read(token)
    if link is None:
        raise LinkInvalid
    limit = mailed_link_limit_of(ctx, caller)
    async with rate_limited(ctx, limit, counted=(LinkInvalid,)) as attempts:
        try:
            return await _use(ctx, caller, link, new, attempts=attempts)
        except LinkInvalid:
            return await _repeated(ctx, caller, link, new, attempts=attempts)


async def _use(
    ctx: Ctx, caller: Caller, link: Link, new: NewPassword, *, attempts: int
) -> WriteResult[None]:
    user = await _user_of_link(ctx, UserId(link.id), link.generation)
    check_password(
        new.text,
        field="password",
        names=[user.name],
        email=user.email,
        product=ctx.settings.product_name,
    )
    password_hash = await ctx.hasher.hash(new.text, attempts=attempts)

    async def allowed(write: JournalWrite) -> User:
        return password_reset.check_link(
            await ctx.store.user(user.id, write.session), generation=link.generation, now=write.now
        )

    return await replace_password(
        ctx,
        caller_as(caller, user),
        user,
        password_hash,
        allowed=allowed,
        keep=None,
        end_access=new.end_access,
    )


async def _repeated(
    ctx: Ctx, caller: Caller, link: Link, new: NewPassword, *, attempts: int
) -> WriteResult[None]:
    """Wait until the reset by this link is effective, for the request that set the password."""

    async def used_just_now(session: DbSession | None, now: datetime) -> User:
        user = await ctx.store.user(UserId(link.id), session)
        return password_reset.check_repeat(user, generation=link.generation, now=now)

    user = await used_just_now(None, ctx.clock.now())
    if not await ctx.hasher.verify(user.password_hash, new.text, attempts=attempts):
        raise LinkInvalid

    async def unchanged(write: JournalWrite) -> bool:
        current = await used_just_now(write.session, write.now)
        if current.password_hash != user.password_hash:
            raise LinkInvalid
        ended = await end_other_access(ctx, write, current, new.end_access, had_password=False)
        return ended.whole

    actor = caller_as(caller, user)
    while True:
        done = await ctx.journal.write(user.id, unchanged, caller=actor, effective_everywhere=True)
        if done.result:
            return WriteResult(result=None, revision=done.revision, effective=done.effective)


async def link_to_mail(ctx: Ctx, *, user_id: UserId, generation: int) -> Link:
    """Give the link that is about to be mailed.

    Raises:
        LinkInvalid: the link is used, superseded or expired, and must not be mailed.
    """
    user = await _user_of_link(ctx, user_id, generation)
    return Link(id=user.id, generation=generation)


async def _user_of_link(ctx: Ctx, user_id: UserId, generation: int) -> User:
    return password_reset.check_link(
        await ctx.store.user(user_id), generation=generation, now=ctx.clock.now()
    )
