"""The operator's routes for the facts that a service could not apply."""

import json
from datetime import datetime
from typing import Any, Self

from shared.http.access import Admin
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Call, Route
from shared.inbox.dead_facts import (
    DeadFact,
    DeadFacts,
    FactOfFormerEpoch,
    FactStillFails,
    FactWasReplayed,
)
from shared.journal import Journal

PATH = "/internal/admin/dead-facts"


class DeadFactView(Answer):
    """A fact that was put aside, and the error that it caused last."""

    id: str
    event_id: str
    type: str
    account_id: str | None
    occurred_at: datetime
    error: str

    @classmethod
    def of(cls, fact: DeadFact) -> Self:
        """Return the fact as the operator sees it in the list."""
        return cls(**_shown(fact))


class DeadFactWithEvent(DeadFactView):
    """A fact that was put aside, with the event as its source wrote it."""

    event: dict[str, Any]


def _shown(fact: DeadFact) -> dict[str, Any]:
    row = fact.row
    return {
        "id": fact.id,
        "event_id": row.id,
        "type": row.type,
        "account_id": row.account_id,
        "occurred_at": row.occurred_at,
        "error": fact.error,
    }


def dead_fact_routes(dead: DeadFacts, journal: Journal) -> tuple[Route, ...]:
    """The internal routes of every service that consumes facts."""

    async def list_facts(ctx: object, call: Call[None, PageQuery]) -> Page[DeadFactView]:
        last, limit = read_cursor(call), call.query.limit
        found = await dead.page(after=None if last is None else last[0], limit=limit + 1)
        page = found[:limit]
        following = write_cursor(call, (page[-1].id, "")) if len(found) > limit else None
        return Page[DeadFactView](items=list(map(DeadFactView.of, page)), next_cursor=following)

    async def show(ctx: object, call: Call[None, None]) -> DeadFactWithEvent:
        fact = await dead.find(call.path["dead_id"])
        return DeadFactWithEvent(**_shown(fact), event=json.loads(fact.event))

    async def replay(ctx: object, call: Call[None, None]) -> None:
        await dead.replay(call.path["dead_id"], journal=journal, caller=call.caller)

    async def drop(ctx: object, call: Call[None, None]) -> None:
        await dead.drop(call.path["dead_id"], journal=journal, caller=call.caller)

    one = f"{PATH}/{{dead_id}}"
    return (
        Route(
            method="GET",
            path=PATH,
            handler=list_facts,
            operation_id="listDeadFacts",
            summary="List the facts that could not be applied",
            tag="operators",
            access=Admin(),
            query=PageQuery,
            gives=Page[DeadFactView],
        ),
        Route(
            method="GET",
            path=one,
            handler=show,
            operation_id="getDeadFact",
            summary="Show a fact that could not be applied",
            tag="operators",
            access=Admin(),
            gives=DeadFactWithEvent,
        ),
        Route(
            method="POST",
            path=f"{one}/replay",
            handler=replay,
            operation_id="replayDeadFact",
            summary="Apply a fact again",
            tag="operators",
            access=Admin(),
            refuses=(FactStillFails, FactOfFormerEpoch),
            on_repeat="Finds none: 404.",
        ),
        Route(
            method="DELETE",
            path=one,
            handler=drop,
            operation_id="dropDeadFact",
            summary="Drop a fact: it counts as applied",
            tag="operators",
            access=Admin(),
            refuses=(FactWasReplayed,),
        ),
    )
