"""How do other services ask a journal how far it is, and for what they missed?"""

from pydantic import Field

from shared.contracts.facts import SHARDS
from shared.contracts.topology import Service
from shared.http.access import Internal
from shared.http.routes import Answer, Body, Call, Route
from shared.journal.journal import Journal


class Heads(Answer):
    """The last committed sequence of each shard that has any."""

    source: str
    epoch: str
    heads: dict[int, int]


class ChangesQuery(Body):
    """Which rows: those of `shard` with a sequence over `after`, `limit` at most."""

    shard: int = Field(ge=0, lt=SHARDS)
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=500)


class Changes(Answer):
    """Rows in order, each as its CloudEvents text."""

    source: str
    epoch: str
    items: list[str]


def journal_routes(journal: Journal) -> tuple[Route, ...]:
    """The internal routes that every source has."""

    async def heads(ctx: object, call: Call[None, None]) -> Heads:
        return Heads(source=journal.source, epoch=journal.epoch, heads=await journal.heads())

    async def changes(ctx: object, call: Call[None, ChangesQuery]) -> Changes:
        query = call.query
        page = await journal.changes(query.shard, after=query.after, limit=query.limit)
        return Changes(
            source=journal.source,
            epoch=journal.epoch,
            items=[row.to_event().decode() for row in page],
        )

    return (
        Route(
            method="GET",
            path="/internal/heads",
            handler=heads,
            operation_id=f"{journal.source}Heads",
            summary="How far this journal is, shard by shard",
            tag="internal",
            access=Internal(tuple(Service)),
            gives=Heads,
        ),
        Route(
            method="GET",
            path="/internal/changes",
            handler=changes,
            operation_id=f"{journal.source}Changes",
            summary="Rows of one shard, in order",
            tag="internal",
            access=Internal(tuple(Service)),
            query=ChangesQuery,
            gives=Changes,
        ),
    )
