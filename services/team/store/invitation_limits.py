"""The counts of recent invitations per address and per account, in the database."""

from datetime import datetime

from services.team.domain.invitation_limits import WINDOW, rate_limited
from shared.ids import AccountId
from shared.mongo import Database, DbSession, majority


class InvitationLimitRows:
    """The collection `allowances`."""

    def __init__(self, database: Database) -> None:
        self._allowances = majority(database, "allowances")

    async def count_invitation(
        self,
        *,
        address: str | None,
        account_id: AccountId,
        per_address: int,
        per_account: int,
        now: datetime,
        session: DbSession,
    ) -> None:
        """Count one invitation of the account and, unless `address` is `None`, one mail to it.

        Raises:
            InvitationRateLimited: one of the limits is reached.
        """
        await self._count(f"account/{account_id}", limit=per_account, now=now, session=session)
        if address is not None:
            await self._count(f"address/{address}", limit=per_address, now=now, session=session)

    async def _count(self, key: str, *, limit: int, now: datetime, session: DbSession) -> None:
        known = await self._allowances.find_one({"_id": key}, session=session)
        times = rate_limited(known["times"] if known else [], limit=limit, now=now)
        await self._allowances.update_one(
            {"_id": key},
            {"$set": {"times": times, "expires_at": now + WINDOW}},
            upsert=True,
            session=session,
        )
