"""The counts of recent invitations per account, in the database."""

from collections.abc import Sequence
from datetime import datetime

from services.team.domain.invitation_limits import WINDOW
from services.team.store.places import at
from shared.ids import AccountId
from shared.mongo import Database, DbSession, Document, majority


class InvitationLimitRows:
    """The times, in the collection `invitation_counts`."""

    def __init__(self, database: Database) -> None:
        self._times = majority(database, "invitation_counts")

    async def invitation_times(self, account_id: AccountId, session: DbSession) -> list[datetime]:
        """Find when the account has invited in the last day, and perhaps before."""
        known = await self._times.find_one(_place(account_id), session=session)
        return known["times"] if known else []

    async def save_invitation_times(
        self, account_id: AccountId, times: Sequence[datetime], *, now: datetime, session: DbSession
    ) -> None:
        """Save when the account has invited in the last day."""
        await self._times.update_one(
            _place(account_id),
            {"$set": {"times": list(times), "expires_at": now + WINDOW}},
            upsert=True,
            session=session,
        )


def _place(account_id: AccountId) -> Document:
    return at(account_id, f"account/{account_id}")
