"""Which facts does audit listen to?"""

from services.audit.use_cases import Audit
from shared.contracts.facts import Row
from shared.inbox import Receipt, Subscriptions


async def record(ctx: Audit, row: Row, receipt: Receipt) -> None:
    """Record the row, whatever it says."""
    await ctx.ingest.add(row, receipt)


SUBSCRIPTIONS: Subscriptions = {"*": record}
"""Every fact of every source: a change without a record cannot exist (T29)."""
