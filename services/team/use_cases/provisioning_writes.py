"""The members and invitations of many people at once, for one attempt of provisioning."""

from collections.abc import Collection, Mapping, Sequence

from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.use_cases.invitation_writes import InvitationWrites
from shared.ids import UserId


class ProvisioningWrites(InvitationWrites):
    """Reads and writes of many members in few requests."""

    async def seats_taken(self) -> int:
        """The memberships other than the owner's, and the open invitations."""
        taken = await self._store.count_open(self._account_id, now=self.now, session=self._session)
        return taken + await self.count_members()

    async def members_among(self, users: Collection[UserId]) -> dict[UserId, Membership]:
        """The memberships of those of the users who have one."""
        return await self._store.members_among(self._account_id, users, self._session)

    async def pending_among(self, email_keys: Collection[str]) -> dict[str, Invitation]:
        """The pending (or expired) invitations of these addresses, by the key of the address."""
        return await self._store.pending_among(self._account_id, email_keys, self._session)

    async def names_for_joining(self, names: Mapping[UserId, str]) -> dict[UserId, str]:
        """The newest known names of users who become members; `names` where none is known."""
        return await self._store.names_for_joining(names, session=self._session)

    async def insert_members(self, new: Sequence[Membership]) -> None:
        """Save new memberships."""
        for member in new:
            self._members.pop(member.user_id, None)
        await self._store.insert_members(new, rev=self._write.rev, session=self._session)
