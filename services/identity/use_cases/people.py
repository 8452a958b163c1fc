"""The users, page by page, for a service that lists what it knows of each."""

import re
from dataclasses import dataclass

from services.identity.domain.users import User
from services.identity.store.api_tokens import SHARD_PAGES
from services.identity.use_cases.context import Ctx
from shared.journal.snapshot import invalid_cursor

PAGE_SIZE = 200
_PLACE = re.compile(r"([0-9]{1,2}):(usr_[0-9a-f]{32})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class UsersPage:
    """Some users, and the place of the next ones; `None` is the end."""

    users: list[User]
    following: str | None


async def users_page(ctx: Ctx, place: str | None) -> UsersPage:
    """Read the users at a place; without one, the first users.

    Raises:
        Invalid: no page gave this place.
    """
    found = _PLACE.fullmatch(place or "0:")
    if found is None or int(found[1]) >= len(SHARD_PAGES):
        raise invalid_cursor()
    part = int(found[1])
    users = await ctx.store.users_of_shards(
        SHARD_PAGES[part], after=found[2] or "", limit=PAGE_SIZE
    )
    if len(users) == PAGE_SIZE:
        return UsersPage(users=users, following=f"{part}:{users[-1].id}")
    following = f"{part + 1}:" if part + 1 < len(SHARD_PAGES) else None
    return UsersPage(users=users, following=following)
