"""Passwords: a new one replaces the old one and ends the sessions that the old one started."""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.identity.domain import passwords
from services.identity.domain.mail_budgets import MailKind
from services.identity.domain.other_access import EndAccess
from services.identity.domain.passwords import WrongPassword, check_password
from services.identity.domain.sessions import sign_in_refused
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.mail_budgets import renew_mail_budget
from services.identity.use_cases.other_access import end_other_access
from services.identity.use_cases.rate_limits import rate_limited, sign_in_limits_of
from services.identity.use_cases.sessions import active_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import SessionId
from shared.journal import JournalWrite, WriteResult
from shared.problems import TokenRevoked


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """Whether a write has replaced the password, and the API tokens that it has ended before."""

    done: bool
    tokens_ended: int = 0


async def change(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, current: str, new: str
) -> WriteResult[None]:
    """Change the password of the user of the request, and end their other sessions everywhere.

    Raises:
        WrongPassword: `current` is not the password; it counts as a failed sign-in.
        Invalid: the new password is not allowed.
        TokenRevoked: the session has ended.
        TooManyRequests, HashingBusy.
    """
    user = (await active_session(ctx, principal)).user
    limits = sign_in_limits_of(ctx, caller, user.email_key)
    async with rate_limited(ctx, *limits, counted=(WrongPassword,)) as attempts:
        actor = caller_as(caller, user)
        await require_password(ctx, actor, user, current, attempts=attempts)
        check_password(
            new,
            field="new",
            names=[user.name],
            email=user.email,
            product=ctx.settings.product_name,
        )
        password_hash = await ctx.hasher.hash(new, attempts=attempts)

        async def allowed(write: JournalWrite) -> User:
            session = await ctx.store.session(
                principal.user_id, principal.session_id, write.session
            )
            if session is None or not session.active(write.now):
                raise TokenRevoked
            found = await ctx.store.user(user.id, write.session)
            if found is None or found.password_hash != user.password_hash:
                raise WrongPassword
            return found

        return await replace_password(
            ctx,
            actor,
            user,
            password_hash,
            allowed=allowed,
            keep=principal.session_id,
        )


async def require_password(
    ctx: Ctx, caller: Caller, user: User, password: str, *, attempts: int
) -> None:
    """Check the password of a signed-in user, within the limits of sign-ins.

    Raises:
        WrongPassword: it is another one; the refusal is recorded.
        HashingBusy.
    """
    if not await ctx.hasher.verify(user.password_hash, password, attempts=attempts):
        fact = sign_in_refused(user, WrongPassword.code)
        await ctx.journal.refused(user.id, fact, caller=caller)
        raise WrongPassword


async def replace_password(
    ctx: Ctx,
    caller: Caller,
    user: User,
    password_hash: str,
    *,
    allowed: Callable[[JournalWrite], Awaitable[User]],
    keep: SessionId | None,
    end_access: EndAccess = EndAccess.NONE,
) -> WriteResult[None]:
    """Save a password and end the user's sessions, all but `keep`; both take effect together.

    So does the end of other access, as `end_access` says. A mailed reset link stops working, so the
    mailbox's budget of resets begins anew.

    `allowed` reads the user in the transaction, or refuses. Of very many sessions and API tokens
    the first ones are ended in writes of their own, before the password changes.
    """
    tokens_ended = 0

    async def replace(write: JournalWrite) -> Replaced:
        current = await allowed(write)
        if not await end_sessions_of(ctx, write, current.id, keep=keep):
            return Replaced(done=False)
        told = {}
        if keep is None:
            access = await end_other_access(
                ctx,
                write,
                dataclasses.replace(current, password_hash=password_hash),
                end_access,
                had_password=current.password_hash is not None,
                ended_before=tokens_ended,
            )
            if not access.whole:
                return Replaced(done=False, tokens_ended=access.tokens)
            told = {"ended": access.ended, "left": access.left}
        changed, facts = passwords.change(
            current, password_hash, by_reset=keep is None, now=write.now, **told
        )
        await ctx.store.update_user(current, changed, write.session)
        write.record(*facts)
        return Replaced(done=True)

    while True:
        done = await ctx.journal.write(user.id, replace, caller=caller, effective_everywhere=True)
        tokens_ended += done.result.tokens_ended
        if done.result.done:
            await renew_mail_budget(ctx, caller, user.email_key, MailKind.PASSWORD_RESET)
            return WriteResult(result=None, revision=done.revision, effective=done.effective)
