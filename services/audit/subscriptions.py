"""The facts that audit acts on: every fact of every source."""

from services.audit.use_cases.account_endings import (
    end_account,
    end_membership,
    pause_streams,
)
from services.audit.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.team import MemberLeft, MemberRemoved
from shared.contracts.team_endings import AccountDeleted, AccountReverted
from shared.inbox import AppliedMark, Subscriptions


async def record(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Record the row, also when its type is not known here."""
    await ctx.ingest.add(row, applied_mark)


SUBSCRIPTIONS: Subscriptions = {
    "*": record,
    AccountDeleted.type: end_account,
    AccountReverted.type: pause_streams,
    MemberLeft.type: end_membership,
    MemberRemoved.type: end_membership,
}
"""Every fact of every source (Rp13): a change without a record cannot exist (T29). Each of these
subscribers records its row."""
