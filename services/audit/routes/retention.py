"""The routes by which members see and choose how long the records of the account are kept."""

from datetime import datetime
from typing import ClassVar, Self

from pydantic import Field

from services.audit.domain.retention import MAX_DAYS, MIN_DAYS
from services.audit.routes.filters import READ
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.retention import KeptRecords, change_retention, read_retention
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.routes import Body, Call, Route

CHANGE = Permission("account:update", in_session=True)
"""Records are evidence: a member decides in person when they end."""
PATH = "/v1/accounts/{account_id}/audit-retention"


class AuditRetention(Body):
    """For how many days records are kept; `null` is without a limit."""

    days: int | None = Field(ge=MIN_DAYS, le=MAX_DAYS, examples=[365])


class AuditRetentionView(TaggedAnswer):
    """How long the records are kept. A shorter retention is in force a week after the change."""

    beside_the_state: ClassVar[frozenset[str]] = frozenset(
        {"days_in_force", "in_force_at", "kept_since", "records_ended"}
    )
    awaited = beside_the_state

    days: int | None
    """`null`: without a limit."""
    chosen_at: datetime | None
    """`null` while the account has not chosen: then `days` are the platform's."""
    days_in_force: int | None
    """The days after which records end now."""
    in_force_at: datetime | None
    """From when on `days` are in force; `null` if they are."""
    kept_since: datetime | None
    """All records of what happened later are kept; `null` if none has ended."""
    records_ended: int
    """The records that have ended; of each of them the hash is kept."""

    @classmethod
    def of(cls, kept: KeptRecords) -> Self:
        """Return the retention as the API shows it."""
        retention, at = kept.retention, kept.at
        until = retention.former_until
        return cls(
            days=retention.days,
            chosen_at=retention.chosen_at,
            days_in_force=retention.in_force(at),
            in_force_at=until if until is not None and at < until else None,
            kept_since=kept.endings.last,
            records_ended=kept.endings.until,
        )


async def show_retention(ctx: Ctx, call: Call[None, None]) -> AuditRetentionView:
    """Show how long the records are kept."""
    return AuditRetentionView.of(await read_retention(ctx, call.account_id))


async def set_retention(ctx: Ctx, call: Call[AuditRetention, None]) -> AuditRetentionView:
    """Choose how long the records are kept."""
    kept = await change_retention(
        ctx, call.caller, call.account_id, call.body.days, precondition=call.precondition
    )
    return AuditRetentionView.of(kept)


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=show_retention,
        operation_id="getAuditRetention",
        summary="Show how long the account's audit records are kept",
        tag="audit",
        access=READ,
        gives=AuditRetentionView,
        represent=AuditRetentionView.of,
    ),
    Route(
        method="PUT",
        path=PATH,
        handler=set_retention,
        operation_id="setAuditRetention",
        summary="Choose how long the account's audit records are kept",
        tag="audit",
        access=CHANGE,
        takes=AuditRetention,
        gives=AuditRetentionView,
        represent=AuditRetentionView.of,
    ),
)
