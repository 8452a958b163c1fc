"""Identities: a signed-in user lists, links and unlinks the issuers that they sign in with."""

from services.identity.domain import identities
from services.identity.domain.identities import IdentityTaken, LinkedIdentity, identity_id
from services.identity.domain.sso_sign_in import SsoAnswer
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.ending_sessions import end_sessions_of
from services.identity.use_cases.sessions import active_session, require_session
from services.identity.use_cases.sso_connections import connection_by_id
from services.identity.use_cases.sso_sign_in import BegunSignIn, begin_with, prove
from shared.auth.principals import UserPrincipal
from shared.contracts.facts import Caller
from shared.ids import IdentityId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.problems import NotFound, TokenRevoked


async def identities_of(ctx: Ctx, principal: UserPrincipal) -> list[LinkedIdentity]:
    """Return the identities of the user of the request, the oldest first."""
    user = (await active_session(ctx, principal)).user
    return await ctx.store.identities_of(user.id)


async def begin_link(
    ctx: Ctx, principal: UserPrincipal, *, connection_id: str, page: str | None
) -> BegunSignIn:
    """Begin the link of an identity to the user of the request.

    Raises:
        SsoConnectionUnknown, Invalid, IssuerUnavailable, TokenRevoked.
    """
    user = (await active_session(ctx, principal)).user
    connection = await connection_by_id(ctx, connection_id)
    return await begin_with(ctx, connection, page=page, user_id=user.id)


async def link(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, binding: str, answer: SsoAnswer
) -> WriteResult[LinkedIdentity]:
    """Link the identity that the issuer has proved; the address does not matter.

    Raises:
        SsoSignInOver, IssuerAnswerInvalid, IssuerUnavailable: see `sso_sign_in`.
        IdentityTaken, TooManyIdentities, TokenRevoked.
    """
    user = (await active_session(ctx, principal)).user
    proved = await prove(ctx, binding=binding, answer=answer, user_id=user.id)
    known_id = identity_id(proved.issued.issuer, proved.issued.subject)

    async def change(write: JournalWrite) -> LinkedIdentity:
        current = await _of_live_session(ctx, write, principal)
        known = await ctx.store.identity(known_id, write.session)
        if known is not None:
            if known.user_id != current.id:
                raise IdentityTaken
            return known
        identity = identities.linked(
            proved.issued, proved.connection, user_id=current.id, now=write.now
        )
        others = await ctx.store.identities_of(current.id, write.session)
        _, facts = identities.link(current, identity, others, how=identities.LinkedBy.USER)
        await ctx.store.insert_identity(identity, write.session)
        write.record(*facts)
        return identity

    actor = caller_as(caller, user)
    try:
        return await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=False)
    except AlreadyThere as taken:
        raise IdentityTaken from taken


async def unlink(
    ctx: Ctx, caller: Caller, principal: UserPrincipal, *, identity_id: IdentityId
) -> WriteResult[None]:
    """Take an identity from the user of the request, and end their other sessions everywhere.

    One of them may be of the person who has that identity.

    Raises:
        NotFound: the user has no such identity.
        LastSignIn: the user could not sign in any more.
        TokenRevoked: the session has ended.
    """
    user = (await active_session(ctx, principal)).user

    async def change(write: JournalWrite) -> bool:
        current = await _of_live_session(ctx, write, principal)
        linked = await ctx.store.identities_of(current.id, write.session)
        found = next((one for one in linked if one.id == identity_id), None)
        if found is None:
            raise NotFound
        others = [one for one in linked if one is not found]
        passkeys = (await ctx.store.factors(current.id, write.session)).passkeys
        fact = identities.unlink(current, found, others, has_passkey=bool(passkeys))
        if not await end_sessions_of(ctx, write, current.id, keep=principal.session_id):
            return False
        await ctx.store.delete_identity(found, write.session)
        write.record(fact)
        return True

    actor = caller_as(caller, user)
    while True:
        done = await ctx.journal.write(user.id, change, caller=actor, effective_everywhere=True)
        if done.result:
            return WriteResult(result=None, revision=done.revision, effective=done.effective)


async def _of_live_session(ctx: Ctx, write: JournalWrite, principal: UserPrincipal) -> User:
    """Read the user again in the transaction, whose session must be live."""
    await require_session(ctx, write, principal)
    user = await ctx.store.user(principal.user_id, write.session)
    if user is None:
        raise TokenRevoked
    return user
