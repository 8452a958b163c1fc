"""The members of the account that an attempt changes."""

from collections.abc import Sequence

from rolecall import MembershipStatus
from services.team.domain.members import Membership
from services.team.use_cases.attempt import Attempt
from shared.contracts.facts import Position
from shared.ids import UserId
from shared.problems import NotFound


class MemberWrites(Attempt):
    """Memberships, and the names of people."""

    async def find_member(self, user_id: UserId) -> Membership | None:
        """The user's membership."""
        if user_id in self._members:
            return self._members[user_id]
        return await self._store.member(self._account_id, user_id, self._session)

    async def member(self, user_id: UserId) -> Membership:
        """The member that a path names.

        Raises:
            NotFound: the user is not a member.
        """
        found = await self.find_member(user_id)
        if found is None:
            raise NotFound
        return found

    async def members(self) -> list[Membership]:
        """The members of the account."""
        return await self._store.members(self._account_id, self._session)

    async def count_members(self) -> int:
        """How many members the account has beside the owner."""
        return await self._store.count_members(self._account_id, self._session) - 1

    async def insert_member(self, member: Membership) -> None:
        """Save a new membership."""
        self._members.pop(member.user_id, None)
        await self._store.insert_member(member, rev=self._write.rev, session=self._session)

    async def replace_member(self, member: Membership) -> None:
        """Save a changed membership."""
        await self.replace_members([member])

    async def replace_members(self, members: Sequence[Membership]) -> None:
        """Save changed memberships."""
        for member in members:
            self._members.pop(member.user_id, None)
            if member.status is not MembershipStatus.ACTIVE:
                self._inactive.add(member.user_id)
        await self._store.replace_members(members, rev=self._write.rev, session=self._session)

    async def delete_member(self, member: Membership) -> None:
        """Delete a membership and its overrides; the user comes back by an invitation alone."""
        self._members.pop(member.user_id, None)
        self._overrides.pop(member.user_id, None)
        self._inactive.add(member.user_id)
        await self._store.delete_member(member, self._session)
        await self._store.keep_former([member], self._session)
        await self._store.delete_overrides_of(self._account_id, member.user_id, self._session)

    async def learn_name(self, user_id: UserId, name: str, position: Position) -> str:
        """Store a name that a fact of identity gives; returns the newest that is known."""
        return await self._store.learn_person(
            user_id=user_id, name=name, position=position, session=self._session
        )

    async def name_for_joining(self, user_id: UserId, *, otherwise: str) -> str:
        """The newest known name of a user who gets a membership by this change."""
        return await self._store.name_for_joining(
            user_id, otherwise=otherwise, session=self._session
        )
