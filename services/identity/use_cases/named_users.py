"""The users whom a service client names."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.identity.domain.users import User
from services.identity.use_cases.context import Ctx
from shared.ids import ClientId, UserId


@dataclass(frozen=True, kw_only=True)
class ExternalUser:
    """A user whom a service client names, with the id by which it was named."""

    named: str
    user: User


async def named_users(
    ctx: Ctx, *, client_id: ClientId, external_ids: Sequence[str], user_ids: Sequence[UserId]
) -> list[ExternalUser]:
    """Find the users that a client names by its external ids, or by their own ids."""
    known = await ctx.store.users_of_external_ids(client_id, external_ids)
    users = await ctx.store.users_among({*known.values(), *user_ids})
    named = [*known.items(), *((user_id, user_id) for user_id in user_ids)]
    return [ExternalUser(named=name, user=users[uid]) for name, uid in named if uid in users]
