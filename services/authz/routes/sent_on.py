"""Requests about accounts of other groups of replicas: a replica of that group answers them."""

from dataclasses import replace
from typing import Any

from services.authz.adapters.group_calls import GroupCalls
from services.authz.domain.groups import AccountGroups, HeldElsewhere
from services.authz.routes import evaluations
from services.authz.routes.divided_batches import DividedBatch
from services.authz.use_cases.context import Ctx
from shared.http.routes import Call, Reply, Route


def sent_on(route: Route, groups: AccountGroups, calls: GroupCalls) -> Route:
    """The row whose requests another group answers if it holds their account.

    A batch about accounts of several groups is answered by all of them.
    """

    async def handler(ctx: Ctx, call: Call[Any, Any]) -> Any:
        try:
            return await route.handler(ctx, call)
        except HeldElsewhere as elsewhere:
            group = elsewhere.group
        return await _elsewhere(ctx, call, group)

    async def _elsewhere(ctx: Ctx, call: Call[Any, Any], group: int) -> Reply:
        if route.handler is evaluations.evaluate_each:
            asked, semantic = evaluations.asked_of(call)
            if asked:
                return await DividedBatch(ctx, call, asked, groups, calls).answer(semantic)
        return await calls.send_on(call, group)

    return replace(route, handler=handler)
