"""What others have in an account, ended by an attempt all at once."""

from services.team.domain.overrides import ProjectOverride
from services.team.use_cases.attempt import Attempt
from shared.ids import UserId


class EndingWrites(Attempt):
    """Writes whose number does not grow with the number of members."""

    async def all_overrides(self) -> list[ProjectOverride]:
        """The overrides of all members, in all projects."""
        return await self._store.overrides_of_account(self._account_id, self._session)

    async def delete_rest(self) -> None:
        """Delete all that is left of the account but its own row."""
        await self._store.delete_rest_of(self._account_id, self._session)

    async def end_others(self, owner_id: UserId) -> None:
        """End every membership but the owner's, all overrides, and the pending invitations.

        Members whose membership gives nothing now do not come back by a sign-in.
        """
        everyone = await self._store.members(self._account_id, self._session)
        out = [one for one in everyone if not one.in_force(self.now) and one.user_id != owner_id]
        await self._store.keep_former(out, self._session)
        self._members = {user: row for user, row in self._members.items() if user == owner_id}
        self._overrides.clear()
        await self._store.delete_members_but(self._account_id, owner_id, self._session)
        await self._store.delete_overrides_of_account(self._account_id, self._session)
        await self._store.revoke_pending(self._account_id, now=self.now, session=self._session)
