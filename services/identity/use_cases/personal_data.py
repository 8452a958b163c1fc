"""The personal data of a user, as identity, team and notification have them."""

from dataclasses import dataclass
from datetime import datetime

from services.identity.domain.api_tokens import ApiToken
from services.identity.domain.identities import LinkedIdentity
from services.identity.domain.mfa import SecondFactors
from services.identity.domain.personal_data import MAX_ROWS, export_limit
from services.identity.domain.sessions import UserSession
from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.rate_limits import rate_limited
from services.identity.use_cases.sessions import active_session, require_fresh_proof
from shared.auth.principals import UserPrincipal
from shared.contracts.calls.notification import (
    READ_PERSONAL_MESSAGES,
    PersonalMessages,
    PersonalMessagesRequest,
)
from shared.contracts.calls.team import MEMBERSHIPS, Memberships, MembershipsRequest
from shared.contracts.topology import Service
from shared.ids import ClientId
from shared.problems import Refusal, RefusalKind, Unavailable


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """What is stored of a user at one moment; `complete` tells that no list is cut."""

    exported_at: datetime
    user: User
    sessions: list[UserSession]
    api_tokens: list[ApiToken]
    identities: list[LinkedIdentity]
    factors: SecondFactors
    external_ids: dict[ClientId, str]
    memberships: Memberships
    messages: PersonalMessages
    complete: bool


async def export(ctx: Ctx, principal: UserPrincipal) -> PersonalData:
    """Read the personal data of the user of the request.

    Raises:
        TokenRevoked: the session has ended.
        StepUpRequired: the user has a second factor, and did not prove it a short time ago.
        TooManyRequests: the user has had as many exports as one may.
        Unavailable: team or notification does not answer; an export without its part would not be
            complete.
    """
    acting = await active_session(ctx, principal)
    user, factors = acting.user, await ctx.store.factors(acting.user.id)
    if factors.exist:
        require_fresh_proof(principal, acting.session, now=ctx.clock.now())
    async with rate_limited(ctx, export_limit(user.id, limit=ctx.settings.exports_per_user)):
        memberships = await ctx.internal.call(
            MEMBERSHIPS, Service.TEAM, MembershipsRequest(user_id=user.id)
        )
        messages = await _messages(ctx, user)
        sessions = await ctx.store.sessions_of(user.id, limit=MAX_ROWS + 1)
        tokens = await ctx.store.tokens_of(user.id, limit=MAX_ROWS + 1)
        return PersonalData(
            exported_at=ctx.clock.now(),
            user=user,
            sessions=sessions[:MAX_ROWS],
            api_tokens=tokens[:MAX_ROWS],
            identities=await ctx.store.identities_of(user.id),
            factors=factors,
            external_ids=await ctx.store.external_ids_of(user.id),
            memberships=memberships,
            messages=messages,
            complete=messages.complete and max(len(sessions), len(tokens)) <= MAX_ROWS,
        )


async def _messages(ctx: Ctx, user: User) -> PersonalMessages:
    """What notification has of a user. Mails to an address are theirs once they have proved it.

    Raises:
        Unavailable: it does not answer, or is of a version that has no such part.
    """
    proved = None if user.verified_at is None else user.email
    request = PersonalMessagesRequest(user_id=user.id, email=proved)
    try:
        return await ctx.internal.call(READ_PERSONAL_MESSAGES, Service.NOTIFICATION, request)
    except Refusal as refusal:
        if refusal.kind is RefusalKind.NOT_FOUND:
            raise Unavailable from None
        raise
