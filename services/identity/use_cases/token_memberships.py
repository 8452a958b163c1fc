"""The memberships to which API tokens are bound, as team has them."""

from services.identity.domain.api_tokens import ApiToken
from services.identity.use_cases.context import Ctx
from shared.contracts.calls.team import MEMBERSHIPS, MembershipsRequest, StoredMembership
from shared.contracts.topology import Service
from shared.ids import AccountId, UserId
from shared.problems import Unavailable


async def membership_of_token(ctx: Ctx, token: ApiToken) -> StoredMembership | None:
    """The membership to which the token is bound, if it gives access now.

    Raises:
        Unavailable: team does not answer.
    """
    found = await _membership(ctx, token.user_id, token.account_id)
    if found is None or not found.gives_access:
        return None
    return found if found.membership_id in {None, token.membership_id} else None


async def account_name(ctx: Ctx, user_id: UserId, account_id: AccountId) -> str:
    """The name of an account of a user, for a mail; nothing if team does not answer."""
    try:
        found = await _membership(ctx, user_id, account_id)
    except Unavailable:
        return ""
    return "" if found is None else found.account_name


async def _membership(ctx: Ctx, user_id: UserId, account_id: AccountId) -> StoredMembership | None:
    answer = await ctx.internal.call(MEMBERSHIPS, Service.TEAM, MembershipsRequest(user_id=user_id))
    return next((one for one in answer.memberships if one.account_id == account_id), None)
