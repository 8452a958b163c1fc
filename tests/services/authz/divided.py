"""Replicas of authz that are divided into groups, with accounts in each of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

from rolecall.core.groups import group_of_account
from shared.runtime.listeners import listen, url_of
from shared.runtime.service import ServiceApp
from tests.services.authz.conftest import World
from tests.services.authz.histories import ANA, BO, CY, account, member

GROUPS = 3


def account_in(*groups: int) -> str:
    """An account that group `groups[0]` of one holds, `groups[1]` of two, and so on."""
    for number in count():
        account_id = f"acc_{number:032x}"
        if all(group_of_account(account_id, n) == g for n, g in enumerate(groups, 1) if g):
            return account_id
    raise AssertionError


ACCOUNTS = {group: account_in(0, 0, group) for group in range(1, GROUPS + 1)}
"""One account of each group of three."""


class Places:
    """The sockets of the replicas of some groups, and the settings that name them."""

    def __init__(self, groups: int = GROUPS) -> None:
        self.sockets = {
            group: (listen("127.0.0.1", 0), listen("127.0.0.1", 0))
            for group in range(1, groups + 1)
        }

    def settings(self, groups: int | None = None) -> dict[str, Any]:
        """The addresses of the first groups, as a replica is told them."""
        known = [self.sockets[group] for group in range(1, (groups or len(self.sockets)) + 1)]
        return {
            "group_urls": tuple((url_of(public),) for _, public in known),
            "group_internal_urls": tuple((url_of(internal),) for internal, _ in known),
        }


def tell_of_accounts(world: World, accounts: Sequence[str] = tuple(ACCOUNTS.values())) -> None:
    """ANA owns each account, BO is a developer of each; CY is a member of none."""
    for account_id in accounts:
        world.team.write(account(account_id), member(ANA, "owner", account_id))
        world.team.write(member(BO, "developer", account_id))


@asynccontextmanager
async def three_groups(world: World, **more: Any) -> AsyncIterator[dict[int, ServiceApp]]:
    """One replica of each of three groups, by the number of its group."""
    places = Places()
    async with AsyncExitStack() as stack:
        yield {
            group: await stack.enter_async_context(
                world.replica(f"g{group}", group=group, at=sockets, **places.settings(), **more)
            )
            for group, sockets in places.sockets.items()
        }


__all__ = ["ACCOUNTS", "CY", "GROUPS", "Places", "account_in", "tell_of_accounts", "three_groups"]
