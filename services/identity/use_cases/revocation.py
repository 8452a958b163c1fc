"""Revocation (RFC 7009): end what a token stands for; the token itself proves the right to."""

from datetime import UTC, datetime

from rolecall.client.jwt import BadToken
from services.identity.domain.oidc import ClientCredentials
from services.identity.domain.revocation import RevokedToken, revoked
from services.identity.use_cases.api_tokens import revoke_presented
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.introspection import find_api_token
from services.identity.use_cases.oidc import known_client
from services.identity.use_cases.sessions import end_by_refresh_token, log_out
from shared.auth.api_tokens import is_api_token
from shared.auth.principals import UserPrincipal, actor_of
from shared.contracts.facts import Caller
from shared.ids import ClientId, TokenId
from shared.journal import JournalWrite, WriteResult
from shared.problems import Unavailable


async def revoke(
    ctx: Ctx, caller: Caller, credentials: ClientCredentials | None, *, token: str
) -> None:
    """Revoke a token: no service accepts it any more when this returns.

    A token of a user ends the session that it belongs to, as signing out does. An access token of
    a service client ends alone, also one for a user. An unknown token has ended already.

    Raises:
        ClientInvalid: the request has credentials of a client, and they are wrong.
        Unavailable: the end is not in force everywhere yet.
    """
    if credentials is not None:
        await known_client(ctx, credentials)
    written = await _end(ctx, caller, token)
    if written is not None and not written.effective:
        raise Unavailable


async def _end(ctx: Ctx, caller: Caller, token: str) -> WriteResult[None] | None:
    if is_api_token(token):
        found = await find_api_token(ctx, token)
        return None if found is None else await revoke_presented(ctx, caller, found)
    link = ctx.refresh_tokens.read(token)
    if link is not None:
        return await end_by_refresh_token(ctx, caller, link)
    try:
        principal = await ctx.access_tokens.verify(token)
        claims = await ctx.access_tokens.read(token)
    except BadToken:
        return None
    caller = Caller(actor=actor_of(principal), request=caller.request)
    if isinstance(principal, UserPrincipal):
        return await log_out(ctx, caller, principal)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    return await _revoke_alone(ctx, caller, principal.client_id, claims["jti"], expires_at)


async def _revoke_alone(
    ctx: Ctx,
    caller: Caller,
    client_id: ClientId,
    token_id: str,
    expires_at: datetime,
) -> WriteResult[None]:
    async def change(write: JournalWrite) -> None:
        token = RevokedToken(
            id=TokenId(token_id),
            client_id=client_id,
            expires_at=expires_at,
            rev=write.rev,
        )
        if await ctx.store.add_revoked_token(token, write.session):
            write.record(revoked(token))

    return await ctx.journal.write(client_id, change, caller=caller, effective_everywhere=True)
