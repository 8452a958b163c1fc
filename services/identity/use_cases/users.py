"""Users: the user of the request, a change of name, and the lookup for other services."""

from services.identity.domain import users
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn, active_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.names import parse_name
from shared.problems import Invalid, NotFound, TokenRevoked


async def rename(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, name: str
) -> WriteResult[SignedIn]:
    """Change the name of the user of the request.

    Raises:
        Invalid: the name is not allowed.
        TokenRevoked: the session has ended.
    """
    try:
        name = parse_name(name)
    except ValueError as problem:
        raise Invalid(errors=[("/name", str(problem))]) from problem
    current = await active_session(ctx, principal)

    async def change(write: JournalWrite) -> SignedIn:
        session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
        if session is None or not session.active(write.now):
            raise TokenRevoked
        user = await ctx.store.user(current.user.id, write.session) or current.user
        renamed, facts = users.rename(user, name)
        if facts:
            await ctx.store.update_user(user, renamed, write.session)
        write.record(*facts)
        return SignedIn(user=renamed, session=current.session)

    actor = caller_as(caller, current.user)
    return await ctx.journal.write(
        current.user.id, change, caller=actor, effective_everywhere=False
    )


async def user_by_id(ctx: Ctx, user_id: UserId) -> User:
    """Return a user for another service.

    Raises:
        NotFound: there is no such user.
    """
    user = await ctx.store.user(user_id)
    if user is None:
        raise NotFound
    return user
