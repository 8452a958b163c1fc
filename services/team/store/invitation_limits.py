"""The counts of recent invitations per account, in the database."""

from collections.abc import Sequence
from datetime import datetime

from services.team.domain.invitation_limits import WINDOW
from shared.ids import AccountId
from shared.mongo import Database, DbSession, majority


class InvitationLimitRows:
    """The collection `allowances`."""

    def __init__(self, database: Database) -> None:
        self._allowances = majority(database, "allowances")

    async def invitation_times(self, account_id: AccountId, session: DbSession) -> list[datetime]:
        """Find when the account has invited in the last day, and perhaps before."""
        known = await self._allowances.find_one({"_id": _key(account_id)}, session=session)
        return known["times"] if known else []

    async def save_invitation_times(
        self, account_id: AccountId, times: Sequence[datetime], *, now: datetime, session: DbSession
    ) -> None:
        """Save when the account has invited in the last day."""
        await self._allowances.update_one(
            {"_id": _key(account_id)},
            {"$set": {"times": list(times), "expires_at": now + WINDOW}},
            upsert=True,
            session=session,
        )


def _key(account_id: AccountId) -> str:
    return f"account/{account_id}"
