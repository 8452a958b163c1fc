"""The export of the audit log."""

from functools import partial
from typing import Literal

from pydantic import Field

from services.audit.domain.exports import (
    CsvExport,
    ExportFormat,
    ExportLines,
    JsonExport,
    TooManyExports,
)
from services.audit.routes.filters import READ, AuditFilterQuery, IdText
from services.audit.routes.permitted import still_permitted
from services.audit.routes.proofs import MAX_SIZE
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.exports import begin_export, export_pieces
from shared.http.routes import Call, Reply, Route
from shared.http.streams import Stream

STALL_SECONDS = 30.0
"""A reader that takes nothing for so long is cut off, and can go on after its last record."""


class AuditExportQuery(AuditFilterQuery):
    """What is exported, and in which format."""

    format: ExportFormat = Field(ExportFormat.JSON_LINES, description="`jsonl` or `csv`")
    after: IdText | None = Field(
        None, description="The id of the last record of an export that was cut off"
    )
    bom: Literal["true", "false"] = Field(
        "false", description="Whether a CSV file begins with a byte order mark"
    )
    size: int | None = Field(
        None,
        ge=0,
        le=MAX_SIZE,
        description="The size of the checkpoint that seals are proved by (JSON Lines); by default"
        " the newest",
    )


async def export_events(ctx: Ctx, call: Call[None, AuditExportQuery]) -> Reply:
    """Export the account's audit log."""
    query = call.query
    export = await begin_export(
        ctx,
        call.caller,
        call.account_id,
        query.filters(),
        after=query.after,
        kind=query.format,
        size=query.size,
    )
    lines: ExportLines = JsonExport()
    if query.format is ExportFormat.CSV:
        lines = CsvExport(byte_order_mark=query.bom == "true")
    permitted = partial(still_permitted, ctx, call)
    stream = Stream(
        pieces=export_pieces(ctx, export, lines, permitted),
        stall_seconds=STALL_SECONDS,
        media=f"{lines.media}; charset=utf-8",
    )
    told = export.described()
    name = f"audit-{call.account_id}.{query.format.value}"
    return Reply(
        body=stream,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Rolecall-Export-Taken-At": told["taken_at"],
            "Rolecall-Export-Complete-Until": told["complete_until"] or "unknown",
            "Rolecall-Export-Estimate": str(export.estimate),
        },
    )


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account_id}/audit-export",
        handler=export_events,
        operation_id="exportAuditEvents",
        summary="Export the account's audit log, oldest first (JSON Lines or CSV)",
        tag="audit",
        access=READ,
        query=AuditExportQuery,
        streams=(JsonExport.media, CsvExport.media),
        refuses=(TooManyExports,),
    ),
)
