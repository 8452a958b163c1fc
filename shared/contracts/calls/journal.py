"""Calls to the journal of every source."""

from pydantic import Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.facts import SHARDS
from shared.contracts.topology import SOURCES, Service


class Heads(InternalAnswer):
    """The last committed sequence of each shard that has any."""

    source: str
    epoch: str
    heads: dict[int, int]


class ChangesQuery(InternalRequest):
    """The rows of `shard` with a sequence over `after`, `limit` at most."""

    shard: int = Field(ge=0, lt=SHARDS)
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=500)


class Changes(InternalAnswer):
    """Rows in order, each as its CloudEvents text."""

    source: str
    epoch: str
    items: list[str]


HEADS = InternalCall(
    name="readHeads",
    summary="Read the last sequence of each shard of this journal",
    method="GET",
    path="/internal/heads",
    callees=SOURCES,
    callers=tuple(Service),
    request=type(None),
    answer=Heads,
)
CHANGES = InternalCall(
    name="readChanges",
    summary="Read rows of one shard of this journal, in order",
    method="GET",
    path="/internal/changes",
    callees=SOURCES,
    callers=tuple(Service),
    request=ChangesQuery,
    answer=Changes,
)
