"""The routes by which a reader proves the audit log: checkpoint, proofs, sealed records."""

from datetime import datetime
from typing import Any

from pydantic import Field

from rolecall.audit.sealed import encoded
from services.audit.routes.filters import READ
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.proofs import (
    newest_checkpoint,
    prove_consistency,
    prove_inclusion,
    sealed_page,
)
from shared.http.routes import Answer, Body, Call, Route

MAX_SIZE = 2**62
SIZE_TEXT = "The records of the log that the answer is about; by default all that are sealed"


class SizeQuery(Body):
    """The size of the log that a proof is about."""

    size: int | None = Field(None, ge=0, le=MAX_SIZE, description=SIZE_TEXT)


class ConsistencyQuery(SizeQuery):
    """The sizes of two checkpoints."""

    from_size: int = Field(0, ge=0, le=MAX_SIZE, description="The size of the earlier checkpoint")


class SealedQuery(SizeQuery):
    """The place in an export, from which a page begins."""

    first: int = Field(
        0, ge=0, le=MAX_SIZE, description="The index of the first record of the page"
    )


class AuditCheckpointView(Answer):
    """The newest checkpoint of an account's log, as a C2SP signed note."""

    origin: str
    size: int
    """The number of records that are sealed."""
    checkpoint: str | None
    """The signed note; `null` before the first record is sealed."""
    signed_at: datetime | None
    verifier_keys: list[str]
    """The keys that sign checkpoints, the newest first; keep them from a place that you trust."""


class InclusionProofView(Answer):
    """The proof that a record is in the log (RFC 9162, 2.1.3)."""

    event_id: str
    size: int
    index: int | None
    """The place of the record; `null` while it is not sealed, or if a log of this size lacks it."""
    leaf: str | None
    """The hash of the record's leaf, base64."""
    hashes: list[str]


class ConsistencyProofView(Answer):
    """The proof that the log has only grown since an earlier checkpoint (RFC 9162, 2.1.4)."""

    from_size: int
    size: int
    hashes: list[str]


class SealedRecordsView(Answer):
    """Records with their seals: each item is a line of an export for `rolecall audit verify`."""

    size: int
    items: list[dict[str, Any]]
    next_first: int | None
    """The `first` of the next page, with the same `size`; `null` on the last one."""


async def show_checkpoint(ctx: Ctx, call: Call[None, None]) -> AuditCheckpointView:
    """Show the newest checkpoint."""
    return await checkpoint_view(ctx, call.account_id)


async def checkpoint_view(ctx: Ctx, tree: str) -> AuditCheckpointView:
    """Return the newest checkpoint of a tree, as it is shown."""
    newest = await newest_checkpoint(ctx, tree)
    return AuditCheckpointView(
        origin=ctx.signer.origin(tree),
        size=0 if newest is None else newest.size,
        checkpoint=None if newest is None else newest.note,
        signed_at=None if newest is None else newest.signed_at,
        verifier_keys=list(map(str, ctx.signer.verifier_keys(tree))),
    )


async def show_inclusion(ctx: Ctx, call: Call[None, SizeQuery]) -> InclusionProofView:
    """Prove that the log has a record."""
    event_id = call.path["event_id"]
    found = await prove_inclusion(ctx, call.account_id, event_id, call.query.size)
    return InclusionProofView(
        event_id=event_id,
        size=found.size,
        index=found.index,
        leaf=None if found.index is None else encoded(found.leaf),
        hashes=list(map(encoded, found.hashes)),
    )


async def show_consistency(ctx: Ctx, call: Call[None, ConsistencyQuery]) -> ConsistencyProofView:
    """Prove that the log continues an earlier checkpoint."""
    from_size = call.query.from_size
    size, hashes = await prove_consistency(ctx, call.account_id, from_size, call.query.size)
    return ConsistencyProofView(from_size=from_size, size=size, hashes=list(map(encoded, hashes)))


async def list_sealed(ctx: Ctx, call: Call[None, SealedQuery]) -> SealedRecordsView:
    """List records with their seals, oldest first."""
    return await sealed_view(ctx, call, call.account_id)


async def sealed_view(ctx: Ctx, call: Call[None, SealedQuery], tree: str) -> SealedRecordsView:
    """Return a page of records of a tree with their seals, as they are shown."""
    query = call.query
    page = await sealed_page(ctx, call.caller, tree, first=query.first, size=query.size)
    return SealedRecordsView(size=page.size, items=list(page.lines), next_first=page.next_first)


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-checkpoint",
        handler=show_checkpoint,
        operation_id="getAuditCheckpoint",
        summary="Show the newest signed checkpoint of the audit log",
        tag="audit",
        access=READ,
        gives=AuditCheckpointView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-checkpoint/consistency",
        handler=show_consistency,
        operation_id="getAuditConsistency",
        summary="Prove that the audit log continues an earlier checkpoint",
        tag="audit",
        access=READ,
        query=ConsistencyQuery,
        gives=ConsistencyProofView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-checkpoint/records",
        handler=list_sealed,
        operation_id="listSealedAuditRecords",
        summary="List records with their seals, as lines of a verifiable export",
        tag="audit",
        access=READ,
        query=SealedQuery,
        gives=SealedRecordsView,
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-events/{event_id}/inclusion",
        handler=show_inclusion,
        operation_id="getAuditInclusion",
        summary="Prove that a record is in the audit log",
        tag="audit",
        access=READ,
        query=SizeQuery,
        gives=InclusionProofView,
    ),
)
