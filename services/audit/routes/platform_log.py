"""The operator's routes for the log of what has no account: operators, keys, services, journals."""

from services.audit.domain.sealed_records import PLATFORM
from services.audit.routes.proofs import (
    AuditCheckpointView,
    SealedQuery,
    SealedRecordsView,
    checkpoint_view,
    sealed_view,
)
from services.audit.use_cases.context import Ctx
from shared.http.access import Admin
from shared.http.routes import Call, Route

PATH = "/internal/admin/platform-log"


async def show_checkpoint(ctx: Ctx, call: Call[None, None]) -> AuditCheckpointView:
    """Show the newest checkpoint."""
    return await checkpoint_view(ctx, PLATFORM)


async def list_records(ctx: Ctx, call: Call[None, SealedQuery]) -> SealedRecordsView:
    """List the records with their seals, oldest first; the reading is recorded."""
    return await sealed_view(ctx, call, PLATFORM)


ROUTES = (
    Route(
        method="GET",
        path=f"{PATH}/checkpoint",
        handler=show_checkpoint,
        operation_id="getPlatformCheckpoint",
        summary="Show the newest signed checkpoint of the log of records without an account",
        tag="operators",
        access=Admin(),
        gives=AuditCheckpointView,
    ),
    Route(
        method="GET",
        path=f"{PATH}/records",
        handler=list_records,
        operation_id="listPlatformRecords",
        summary="List the records without an account with their seals, as a verifiable export",
        tag="operators",
        access=Admin(),
        query=SealedQuery,
        gives=SealedRecordsView,
    ),
)
