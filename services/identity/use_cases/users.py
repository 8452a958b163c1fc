"""Users: the user of the request, what they change, and the lookup for other services."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from services.identity.domain import users
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.sessions import SignedIn, active_session
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import UserId
from shared.journal import JournalWrite, WriteResult
from shared.locales import parse_locale, parse_time_zone
from shared.names import parse_name
from shared.problems import Invalid, NotFound, TokenRevoked

Parsed = TypeVar("Parsed", bound=str)


@dataclass(frozen=True, kw_only=True)
class OwnChange:
    """What a user changes about themselves; `None` leaves a part as it is."""

    name: str | None
    locale: str | None
    time_zone: str | None


async def change_own(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, wanted: OwnChange
) -> WriteResult[SignedIn]:
    """Change the name, the language and the time zone of the user of the request.

    Raises:
        Invalid: one of them is not allowed.
        TokenRevoked: the session has ended.
    """
    name = _checked("/name", parse_name, wanted.name)
    locale = _checked("/locale", parse_locale, wanted.locale)
    time_zone = _checked("/time_zone", parse_time_zone, wanted.time_zone)
    current = await active_session(ctx, principal)

    async def change(write: JournalWrite) -> SignedIn:
        session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
        if session is None or not session.active(write.now):
            raise TokenRevoked
        user = await ctx.store.user(current.user.id, write.session) or current.user
        renamed, facts = users.rename(user, name or user.name)
        changed, more = users.localize(renamed, locale=locale, time_zone=time_zone)
        if facts or more:
            await ctx.store.update_user(user, changed, write.session)
        write.record(*facts, *more)
        return SignedIn(user=changed, session=current.session)

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


def _checked(pointer: str, parse: Callable[[str], Parsed], given: str | None) -> Parsed | None:
    try:
        return None if given is None else parse(given)
    except ValueError as problem:
        raise Invalid(errors=[(pointer, str(problem))]) from problem
