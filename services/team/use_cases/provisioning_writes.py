"""The members and invitations of many people at once, for one attempt of provisioning."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership
from services.team.domain.provisioning import ProvisionedMember
from services.team.use_cases.invitation_writes import InvitationWrites
from shared.ids import UserId


@dataclass
class ProvisionedSaves:
    """What the entries of one page change, to be saved together."""

    changed: dict[UserId, Membership | None] = field(default_factory=dict)
    new: list[Membership] = field(default_factory=list)
    replaced: list[Membership] = field(default_factory=list)
    removed: list[Membership] = field(default_factory=list)
    closed: list[Invitation] = field(default_factory=list)

    def take(self, one: ProvisionedMember) -> None:
        """Add what one entry changes."""
        if one.after is not None and one.before is None:
            self.new.append(one.after)
        elif one.after is not None and one.facts:
            self.replaced.append(one.after)
            self.changed[one.after.user_id] = one.after
        elif one.after is None and one.before is not None:
            self.removed.append(one.before)
            self.changed[one.before.user_id] = None
        if one.closed is not None:
            self.closed.append(one.closed)


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
        await self._store.forget_former(new, self._session)
