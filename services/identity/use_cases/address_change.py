"""Change of address: ask for it, prove the new address, and undo it from the old one."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from services.identity.domain import address_change, factor_facts
from services.identity.domain.api_tokens import TokenEnd
from services.identity.domain.mail_budgets import MailKind
from services.identity.domain.mailed_links import LinkInvalid
from services.identity.domain.passwords import WrongPassword
from services.identity.domain.sessions import UserSession
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.ending_tokens import revoke_tokens_of
from services.identity.use_cases.mail_budgets import Addressee, Mail, request_mail
from services.identity.use_cases.passwords import require_password
from services.identity.use_cases.rate_limits import rate_limited, sign_in_limits_of
from services.identity.use_cases.sessions import (
    active_session,
    require_fresh_proof,
    require_session,
)
from shared.addresses import parse_address
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.links import Link
from shared.mongo import AlreadyThere, DbSession
from shared.problems import Invalid, TokenRevoked


async def request(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, email: str, password: str | None
) -> None:
    """Have a link mailed to the new address, and tell the old one.

    The user proves who they are: by the password, or by a fresh proof in the session. With a second
    factor the password alone proves nothing.

    If the address has a user, that user is told instead. The answer is the same, and so is the work
    (`T9`). Beyond the mailbox's budget only the present address is told: a link that the mailbox
    holds proves the address as well. Before every limit was asked nothing is written or mailed.

    Raises:
        WrongPassword: it counts as a failed sign-in.
        StepUpRequired: the proof in the session is too old.
        Invalid, TokenRevoked, TooManyRequests, HashingBusy, Overloaded.
    """
    try:
        address = parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem
    signed_in = await active_session(ctx, principal)
    user = signed_in.user
    actor = caller_as(caller, user)
    if password is not None:
        limits = sign_in_limits_of(ctx, caller, user.email_key)
        async with rate_limited(ctx, *limits, counted=(WrongPassword,)) as attempts:
            await require_password(ctx, actor, user, password, attempts=attempts)

    address_change.check_request(user, address, now=ctx.clock.now())

    check_proof = partial(_check_proof, ctx, principal, has_password=password is not None)
    await check_proof(signed_in.session, now=ctx.clock.now())

    async def wait(write: JournalWrite) -> None:
        """Let the user wait for the address, also when the mailbox has had its mails."""
        own = await require_session(ctx, write, principal)
        await check_proof(own, now=write.now, session=write.session)
        current = await ctx.store.user(user.id, write.session)
        if current is None or current.password_hash != user.password_hash:
            raise TokenRevoked
        requested, fact = address_change.request(current, address, now=write.now)
        await ctx.store.update_user(current, requested, write.session)
        write.record(fact)

    def mail_of(addressee: Addressee, now: datetime) -> Mail | None:
        owner = addressee.user
        if owner is not None:
            return Mail(fact=address_change.wanted(owner))
        return Mail(fact=address_change.link_requested(user, address, now=now))

    async with rate_limited(ctx, address_change.change_limit(user.id)):
        await request_mail(
            ctx,
            actor,
            address.key,
            kind=MailKind.ADDRESS,
            mail_of=mail_of,
            guard=wait,
            requester=user.id,
        )


async def confirm(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, token: str
) -> WriteResult[User]:
    """Give the user of the request the address that the link proves; other sessions end.

    The link counts in a session of a user who waits for its address: a mistyped address belongs to
    a stranger, who must not get the account by a click. A repeat changes nothing, and waits until
    the change is in force.

    Raises:
        LinkInvalid: the link is forged, expired or of an address for which the user does not wait,
            or the address has a user by now.
        TokenRevoked: the session has ended.
    """
    link = ctx.address_links.read(token)
    if link is None:
        raise LinkInvalid
    user = (await active_session(ctx, principal)).user

    async def change(write: JournalWrite) -> User | None:
        own = await require_session(ctx, write, principal)
        current = await ctx.store.user(principal.user_id, write.session)
        if address_change.confirmed_by(current, link, now=write.now):
            return current
        address = address_change.check_link(current, link, now=write.now)
        assert current is not None  # noqa: S101 - the link is checked
        if not await end_sessions_of(ctx, write, current.id, keep=own.id):
            return None
        changed, fact = address_change.change(
            current, address, now=write.now, session_began=own.started_at
        )
        await ctx.store.move_user(current, changed, write.session)
        write.record(fact)
        return changed

    return await _moved(ctx, caller_as(caller, user), user.id, change)


async def undo(ctx: Ctx, caller: Caller, *, token: str) -> WriteResult[User]:
    """Give a user the former address back by the link to it.

    All sessions, API tokens and other ways to sign in end, and second factors that a thief may have
    added. A reset of the password is the way back. A repeat changes nothing: not the new password,
    and no session that began with it.

    Raises:
        LinkInvalid: the link is forged, used or expired, an older address was restored, or the
            address has another user by now.
    """
    link = ctx.undo_links.read(token)
    if link is None:
        raise LinkInvalid
    user_id = UserId(link.id)
    user = await ctx.store.user(user_id)
    if not address_change.restored_by(user, generation=link.generation, now=ctx.clock.now()):
        address_change.check_undo(user, generation=link.generation, now=ctx.clock.now())
    assert user is not None  # noqa: S101 - the link is checked

    async def change(write: JournalWrite) -> User | None:
        current = await ctx.store.user(user_id, write.session)
        if address_change.restored_by(current, generation=link.generation, now=write.now):
            return current
        former = address_change.check_undo(current, generation=link.generation, now=write.now)
        assert current is not None  # noqa: S101 - the link is checked
        if not await end_sessions_of(ctx, write, current.id, keep=None):
            return None
        if not await revoke_tokens_of(ctx, write, current, because=TokenEnd.ADDRESS_RESTORED):
            return None
        restored, fact = address_change.restore(current, former, now=write.now)
        await ctx.store.move_user(current, restored, write.session)
        await ctx.store.delete_identities_of(user_id, write.session)
        factors = await ctx.store.factors(user_id, write.session)
        kept = address_change.kept_factors(factors, former)
        if kept != factors:
            await ctx.store.update_factors(factors, kept, write.session, rev=write.rev)
        write.record(fact, *factor_facts.all_removed(restored, factors, kept))
        return restored

    return await _moved(ctx, caller_as(caller, user), user_id, change)


async def undo_link_to_mail(ctx: Ctx, *, user_id: UserId, generation: int) -> Link:
    """Give the link to the former address that is about to be mailed.

    Raises:
        LinkInvalid: the link is used or expired, and must not be mailed.
    """
    user = await ctx.store.user(user_id)
    address_change.check_undo(user, generation=generation, now=ctx.clock.now())
    return Link(id=user_id, generation=generation)


async def _check_proof(
    ctx: Ctx,
    principal: UserPrincipal,
    own: UserSession,
    *,
    has_password: bool,
    now: datetime,
    session: DbSession | None = None,
) -> None:
    """Check that the session has a fresh proof, if the password was not sent or proves nothing.

    Raises:
        StepUpRequired.
    """
    if not has_password or (await ctx.store.factors(principal.user_id, session)).exist:
        require_fresh_proof(principal, own, now=now)


async def _moved(
    ctx: Ctx,
    caller: Caller,
    user_id: UserId,
    change: Callable[[JournalWrite], Awaitable[User | None]],
) -> WriteResult[User]:
    """Run the change until the sessions have ended; of very many the first ones end before it."""
    while True:
        try:
            done = await ctx.journal.write(
                user_id, change, caller=caller, effective_everywhere=True
            )
        except AlreadyThere as there:
            raise LinkInvalid from there
        if done.result is not None:
            return WriteResult(result=done.result, revision=done.revision, effective=done.effective)
