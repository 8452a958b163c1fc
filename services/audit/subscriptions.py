"""Which facts does audit listen to?"""

from services.audit.use_cases import Audit
from shared.contracts.facts import Row
from shared.inbox import AppliedMark, Subscriptions


async def record(ctx: Audit, row: Row, applied_mark: AppliedMark) -> None:
    """Record the row, whatever it says."""
    await ctx.ingest.add(row, applied_mark)


SUBSCRIPTIONS: Subscriptions = {"*": record}
"""Every fact of every source: a change without a record cannot exist (T29)."""
