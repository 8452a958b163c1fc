"""The operator's routes for logs that do not continue their last checkpoints."""

from services.audit.use_cases.context import Ctx
from services.audit.use_cases.restored_logs import accept_restore, inconsistent_logs
from shared.http.access import Admin
from shared.http.paging import Page, PageQuery, read_cursor, write_cursor
from shared.http.routes import Answer, Call, Route

PATH = "/internal/admin/inconsistent-logs"


class InconsistentLogView(Answer):
    """A log that does not continue its last checkpoint."""

    id: str
    """The id of its account, or `platform`."""
    size: int


async def list_logs(ctx: Ctx, call: Call[None, PageQuery]) -> Page[InconsistentLogView]:
    """List them, by their ids."""
    last, limit = read_cursor(call), call.query.limit
    found = await inconsistent_logs(ctx, after="" if last is None else last[0], limit=limit + 1)
    page = found[:limit]
    following = write_cursor(call, (page[-1].tree, "")) if len(found) > limit else None
    items = [InconsistentLogView(id=head.tree, size=head.size) for head in page]
    return Page[InconsistentLogView](items=items, next_cursor=following)


async def accept(ctx: Ctx, call: Call[None, None]) -> None:
    """Let a log go on from the state that was restored."""
    await accept_restore(ctx, call.caller, call.path["log_id"])


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=list_logs,
        operation_id="listInconsistentLogs",
        summary="List the logs that do not continue their last checkpoints",
        tag="operators",
        access=Admin(),
        query=PageQuery,
        gives=Page[InconsistentLogView],
    ),
    Route(
        method="POST",
        path=f"{PATH}/{{log_id}}/accept",
        handler=accept,
        operation_id="acceptRestoredLog",
        summary="Let a log go on from the state that was restored",
        tag="operators",
        access=Admin(),
        on_repeat="Finds none once it is signed again: 404.",
    ),
)
