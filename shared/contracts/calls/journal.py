"""Calls to the journal of every source."""

from types import NoneType
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest
from shared.contracts.facts import SHARDS
from shared.contracts.topology import SOURCES, Service


class HeadsAnswer(InternalAnswer):
    """The last committed row of each shard that has any: its sequence, and its digest."""

    epoch: str
    heads: dict[int, int]
    digests: dict[int, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_head_has_its_digest(self) -> Self:
        if self.digests.keys() != self.heads.keys():
            raise ValueError("each head must have its digest")
        return self


class FormerEpoch(InternalAnswer):
    """An epoch that a restore has ended: the last sequence of each shard that the backup has.

    The rows of a shard up to that in `trimmed` are deleted, as the source has signed.
    """

    epoch: str
    heads: dict[int, int]
    trimmed: dict[int, int] = Field(default_factory=dict)
    trimmed_signatures: dict[int, str] = Field(default_factory=dict)


class Heads(HeadsAnswer):
    """The heads of a journal, and its former epochs in the order of their ends.

    The rows of a shard up to that in `trimmed` are deleted, as the source has signed.
    """

    source: str
    former: list[FormerEpoch] = Field(default_factory=list)
    trimmed: dict[int, int] = Field(default_factory=dict)
    trimmed_signatures: dict[int, str] = Field(default_factory=dict)


class ChangesQuery(InternalRequest):
    """The rows of `shard` with a sequence over `after`, `limit` at most.

    They are of the present epoch, or of the former one that is named.
    """

    shard: int = Field(ge=0, lt=SHARDS)
    after: int = Field(default=0, ge=0)
    limit: int = Field(default=200, ge=1, le=500)
    epoch: str | None = None


class Changes(InternalAnswer):
    """Rows in order, each as its CloudEvents text, exactly as signed, and its signature."""

    source: str
    epoch: str
    items: list[str]
    signatures: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_row_has_its_signature(self) -> Self:
        if len(self.signatures) != len(self.items):
            raise ValueError("each row must have its signature")
        return self


Shard = Annotated[int, Field(ge=0, lt=SHARDS)]
Place = Annotated[int, Field(ge=0, lt=2**63)]


class ConfirmedRows(InternalRequest):
    """The rows that a consumer does not need any more: up to a sequence of each shard.

    It follows `epoch`, if it has begun. Of the epochs in `holds` it still needs rows. `missed`
    counts the rows that were deleted before it could apply them.
    """

    epoch: str | None
    places: dict[Shard, Place] = Field(default_factory=dict)
    holds: list[str] = Field(default_factory=list, max_length=1_000)
    missed: Place = 0


HEADS = InternalCall(
    name="readHeads",
    summary="Read the last sequence of each shard of this journal",
    method="GET",
    path="/internal/heads",
    callees=SOURCES,
    callers=tuple(Service),
    request=type(None),
    answer=Heads,
    polled=True,
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
    polled=True,
)
CONFIRM = InternalCall(
    name="confirmRows",
    summary="Tell which rows of this journal the caller does not need any more",
    method="POST",
    path="/internal/confirmations",
    callees=SOURCES,
    callers=SOURCES,
    request=ConfirmedRows,
    answer=NoneType,
    polled=True,
)
