"""Show and change how long the records of an account are kept."""

from dataclasses import dataclass
from datetime import datetime

from services.audit.domain.retention import Endings, Retention, retention_fact
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    ConnectionAccountRequest,
)
from shared.contracts.facts import Caller
from shared.contracts.topology import Service
from shared.http.preconditions import Precondition
from shared.journal import JournalWrite


@dataclass(frozen=True, kw_only=True)
class KeptRecords:
    """How long the records of an account are kept, and how far they have ended."""

    retention: Retention
    endings: Endings
    at: datetime


async def read_retention(ctx: Ctx, account_id: str) -> KeptRecords:
    """Show how long the records of an account are kept."""
    retention = await ctx.store.retention(account_id) or ctx.platform_retention
    endings = await ctx.store.endings(account_id)
    return KeptRecords(retention=retention, endings=endings, at=ctx.clock.now())


async def change_retention(
    ctx: Ctx,
    caller: Caller,
    account_id: str,
    days: int | None,
    *,
    precondition: Precondition | None,
) -> KeptRecords:
    """Change how long the records are kept; those who manage the members are told.

    Raises:
        Unavailable: the database was away, or team did not say who is told.
        PreconditionFailed: the retention is not as the request expects it.
    """
    asked = ConnectionAccountRequest(account_id=account_id, managers=True)
    told = await ctx.internal.call(CONNECTION_ACCOUNT, Service.TEAM, asked)

    async def change(write: JournalWrite) -> KeptRecords:
        stored = await ctx.store.retention(account_id, write.session)
        before = stored or ctx.platform_retention
        endings = await ctx.store.endings(account_id, write.session)
        current = KeptRecords(retention=before, endings=endings, at=write.now)
        same = before.days == days and (stored is not None or days is None)
        if precondition is not None:
            precondition.require(current, applied=same)
        if same:
            return current
        after = before.changed(days, now=write.now)
        await ctx.store.set_retention(account_id, after, write.session)
        write.record(
            retention_fact(
                account_id,
                before,
                after,
                now=write.now,
                account_name=told.account_name,
                manager_emails=told.manager_emails,
            )
        )
        return KeptRecords(retention=after, endings=endings, at=write.now)

    changed = await write_named(ctx, account_id, change, caller=caller)
    return changed.result
