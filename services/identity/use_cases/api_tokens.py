"""API tokens: a member makes, lists and revokes them; they end with the membership."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from services.identity.domain import api_tokens
from services.identity.domain.api_tokens import (
    DEFAULT_LIFETIME,
    MAX_LIVE_TOKENS,
    ApiToken,
    RestrictionNotHeld,
    RestrictionUnknown,
    TokenEnd,
    TokenTooWide,
    TooManyTokens,
)
from services.identity.domain.token_expiry import next_notice
from services.identity.domain.users import User, caller_as
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.token_memberships import account_name
from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from shared.auth.principals import ApiTokenPrincipal, Member
from shared.contracts.calls.authz import NewTokenAnswer, TokenLimits
from shared.contracts.calls.identity import TokenUse
from shared.contracts.facts import Actor, Caller, shard_of
from shared.http.idempotency import IdempotencyGuard
from shared.ids import AccountId, MembershipId, TokenId
from shared.journal import JournalWrite, WriteResult
from shared.problems import ApiTokenOver, NotFound, PermissionMissing, TokenRevoked

VIEW, MANAGE = "api_token:view", "api_token:manage"


@dataclass(frozen=True, kw_only=True)
class CreatedToken:
    """A new token and its secret, which is given once."""

    token: ApiToken
    secret: str


async def create(
    ctx: Ctx,
    caller: Caller,
    principal: Member,
    account_id: AccountId,
    *,
    name: str,
    expires_at: datetime | None,
    limits: TokenLimits,
    revision: str | None,
    guard: IdempotencyGuard | None,
    repeat_answer: Callable[[CreatedToken], BaseModel],
) -> WriteResult[CreatedToken]:
    """Make an API token of the caller, bound to their membership as it is now (`B2`, `Ci10`).

    Raises:
        RestrictionUnknown, RestrictionNotHeld: the limits name what is not there or not held.
        TokenTooWide, TooManyTokens, PermissionMissing, NotFound.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    decided = await ctx.checker.check_new_token(
        principal, account_id, MANAGE, limits, revision=revision
    )
    now = ctx.clock.now()
    end = _end_of(principal, decided, wanted=expires_at, now=now)
    user = await ctx.store.user(principal.user_id)
    if user is None or decided.membership_id is None:
        raise TokenRevoked
    secret = new_api_token(shard_of(user.id))
    digest, membership_id = digest_of(secret), MembershipId(decided.membership_id)
    named = await account_name(ctx, user.id, account_id)

    async def change(write: JournalWrite) -> CreatedToken:
        await _require_caller(ctx, write, principal)
        live = await ctx.store.live_tokens(
            user.id, account_id, write.session, now=write.now, limit=MAX_LIVE_TOKENS
        )
        if len(live) >= MAX_LIVE_TOKENS:
            raise TooManyTokens(limit=MAX_LIVE_TOKENS)
        token = ApiToken(
            id=token_id_of(digest),
            user_id=user.id,
            account_id=account_id,
            membership_id=membership_id,
            name=name,
            secret_hash=digest,
            created_at=write.now,
            expires_at=end,
            projects=limits.projects,
            grants=limits.grants,
            read_only=limits.read_only,
            notice_at=next_notice(end, after=write.now),
            rev=write.rev,
        )
        await ctx.store.insert_token(token, write.session)
        write.record(api_tokens.created(token, user, account_name=named))
        made = CreatedToken(token=token, secret=secret)
        if guard is not None:
            await guard.keep_answer(write.session, repeat_answer(made))
        return made

    return await ctx.journal.write(
        user.id,
        change,
        caller=caller_as(caller, user),
        effective_everywhere=True,
        guard=None if guard is None else guard.take_key,
    )


async def _require_caller(ctx: Ctx, write: JournalWrite, principal: Member) -> None:
    """Check within a write that the caller's session or API token has not ended meanwhile."""
    if isinstance(principal, ApiTokenPrincipal):
        token = await ctx.store.token(principal.token_id, principal.account_id, write.session)
        if token is None or not token.live(write.now):
            raise ApiTokenOver
        return
    session = await ctx.store.session(principal.user_id, principal.session_id, write.session)
    if session is None or not session.active(write.now):
        raise TokenRevoked


def _end_of(
    principal: Member, decided: NewTokenAnswer, *, wanted: datetime | None, now: datetime
) -> datetime:
    """The end of the new token, if nothing speaks against it."""
    if decided.unknown:
        raise RestrictionUnknown(decided.unknown)
    if decided.missing:
        raise RestrictionNotHeld(missing=list(decided.missing))
    if decided.wider:
        raise TokenTooWide
    end = now + DEFAULT_LIFETIME if wanted is None else wanted
    if isinstance(principal, ApiTokenPrincipal):
        if wanted is not None and wanted > principal.expires_at:
            raise TokenTooWide
        end = min(end, principal.expires_at)
    return end


async def page(
    ctx: Ctx,
    principal: Member,
    account_id: AccountId,
    *,
    before: str | None,
    limit: int,
    revision: str | None,
) -> list[ApiToken]:
    """The tokens of the account that the caller may see, the newest first: all, or their own."""
    sees_all = await _may(ctx, principal, account_id, VIEW, revision=revision)
    return await ctx.store.tokens_page(
        account_id, user_id=None if sees_all else principal.user_id, before=before, limit=limit
    )


async def get(
    ctx: Ctx, principal: Member, account_id: AccountId, token_id: TokenId, *, revision: str | None
) -> ApiToken:
    """One token of the account; `NotFound` if there is none, or the caller may not see it."""
    token = await ctx.store.token(token_id, account_id)
    if token is None:
        raise NotFound
    if token.user_id != principal.user_id and not await _may(
        ctx, principal, account_id, VIEW, revision=revision
    ):
        raise NotFound
    return token


async def revoke(
    ctx: Ctx,
    caller: Caller,
    principal: Member,
    account_id: AccountId,
    token_id: TokenId,
    *,
    revision: str | None,
) -> WriteResult[None]:
    """Revoke a token: no service accepts it any more once this is answered.

    The creator may always do that, and a token to itself. A repeat waits until the end is in force.

    Raises:
        NotFound: there is no such token, or the caller may not see it.
        PermissionMissing: the caller sees the token and does not manage it.
    """
    found = await ctx.store.token(token_id, account_id)
    if found is None:
        raise NotFound
    await _require_to_revoke(ctx, principal, found, revision=revision)

    async def change(write: JournalWrite) -> None:
        token = await ctx.store.token(token_id, account_id, write.session)
        creator = await ctx.store.user(found.user_id, write.session)
        await revoke_now(ctx, write, token, creator)

    user = await ctx.store.user(principal.user_id)
    actor = caller if user is None else caller_as(caller, user)
    return await ctx.journal.write(found.user_id, change, caller=actor, effective_everywhere=True)


async def revoke_presented(ctx: Ctx, caller: Caller, token: ApiToken) -> WriteResult[None]:
    """Revoke a token whose secret was sent, as the token itself may; see `revoke`."""
    creator = await ctx.store.user(token.user_id)

    async def change(write: JournalWrite) -> None:
        now = await ctx.store.token(token.id, token.account_id, write.session)
        await revoke_now(ctx, write, now, creator)

    actor = Actor(type="user", id=token.user_id, token_id=token.id)
    caller = Caller(actor=actor, request=caller.request)
    if creator is not None:
        caller = caller_as(caller, creator)
    return await ctx.journal.write(token.user_id, change, caller=caller, effective_everywhere=True)


async def revoke_now(
    ctx: Ctx, write: JournalWrite, token: ApiToken | None, creator: User | None
) -> None:
    """Revoke a token within a write, which otherwise waits until the earlier end is in force."""
    if token is not None and token.revoked_at is None and creator is not None:
        await _end(ctx, write, token, creator, because=TokenEnd.REVOKED)


async def _require_to_revoke(
    ctx: Ctx, principal: Member, token: ApiToken, *, revision: str | None
) -> None:
    own = token.user_id == principal.user_id
    if own and not isinstance(principal, ApiTokenPrincipal):
        return
    if isinstance(principal, ApiTokenPrincipal) and principal.token_id == token.id:
        return
    try:
        await ctx.checker.check(
            principal, token.account_id, MANAGE, revision=revision, owner_id=token.user_id
        )
    except PermissionMissing:
        if own or await _may(ctx, principal, token.account_id, VIEW, revision=revision):
            raise
        raise NotFound from None


async def _may(
    ctx: Ctx, principal: Member, account_id: AccountId, permission: str, *, revision: str | None
) -> bool:
    """Whether the caller holds the permission for the tokens of all members."""
    try:
        await ctx.checker.check(principal, account_id, permission, revision=revision)
    except PermissionMissing:
        return False
    return True


async def end_tokens_in(
    ctx: Ctx, write: JournalWrite, user: User, account_id: AccountId, *, made_before: datetime
) -> None:
    """Revoke the tokens of a member who has left the account, within a write.

    They are refused already: they are bound to a membership that does not exist any more.
    """
    found = await ctx.store.live_tokens(
        user.id, account_id, write.session, now=write.now, limit=MAX_LIVE_TOKENS
    )
    for token in found:
        if token.created_at < made_before:
            await _end(ctx, write, token, user, because=TokenEnd.MEMBERSHIP_ENDED)


async def end_tokens_of(ctx: Ctx, write: JournalWrite, user: User) -> bool:
    """Delete every token of a user, within a write; whether there are no more of them."""
    found = await ctx.store.tokens_of(user.id, limit=MAX_LIVE_TOKENS + 1, session=write.session)
    for token in found[:MAX_LIVE_TOKENS]:
        if token.revoked_at is None:
            because = TokenEnd.USER_ERASED
            _, fact = api_tokens.revoke(token, user, because=because, now=write.now, rev=write.rev)
            write.record(fact)
        await ctx.store.delete_token(token, write.session)
    return len(found) <= MAX_LIVE_TOKENS


async def note_uses(ctx: Ctx, uses: tuple[TokenUse, ...]) -> None:
    """Save when tokens were last used."""
    for use in uses:
        await ctx.store.note_use(TokenId(use.token_id), use.at)


async def _end(
    ctx: Ctx, write: JournalWrite, token: ApiToken, creator: User, *, because: TokenEnd
) -> None:
    revoked, fact = api_tokens.revoke(token, creator, because=because, now=write.now, rev=write.rev)
    await ctx.store.update_token(token, revoked, write.session)
    write.record(fact)
