"""The counts of recent invitations per account, in the database."""

from datetime import datetime

from services.team.domain.invitation_limits import WINDOW, rate_limited
from shared.ids import AccountId
from shared.mongo import Database, DbSession, majority


class InvitationLimitRows:
    """The collection `allowances`."""

    def __init__(self, database: Database) -> None:
        self._allowances = majority(database, "allowances")

    async def count_invitation(
        self, account_id: AccountId, *, limit: int, now: datetime, session: DbSession
    ) -> None:
        """Count one invitation of the account.

        Raises:
            InvitationRateLimited: the limit is reached.
        """
        key = f"account/{account_id}"
        known = await self._allowances.find_one({"_id": key}, session=session)
        times = rate_limited(known["times"] if known else [], limit=limit, now=now)
        await self._allowances.update_one(
            {"_id": key},
            {"$set": {"times": times, "expires_at": now + WINDOW}},
            upsert=True,
            session=session,
        )
