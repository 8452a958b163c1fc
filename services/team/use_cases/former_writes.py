"""Former members of the account, and the problems of its connections' rules that were told."""

from services.team.domain.connection_joins import OF_THE_USER, ConnectionRule
from services.team.domain.members import Membership
from services.team.use_cases.member_writes import MemberWrites
from shared.contracts.calls.connections import JoinProblem
from shared.ids import UserId


class FormerMemberWrites(MemberWrites):
    """Users who were members, and come back by an invitation or a provisioning alone."""

    async def admit(self, member: Membership) -> None:
        """Save the membership of a user who joins, also of one who was a member before."""
        await self.insert_member(member)
        await self._store.forget_former([member], self._session)

    async def was_member(self, user_id: UserId, email_key: str) -> bool:
        """Whether the user, or another one with this address, was a member before."""
        told = await self._store.former_member(self._account_id, user_id, email_key, self._session)
        return told is not None

    async def refusal_is_new(
        self, rule: ConnectionRule, problem: JoinProblem, user_id: UserId, email_key: str
    ) -> bool:
        """Whether this refusal was not recorded yet; it counts as recorded from now on."""
        if problem in OF_THE_USER:
            told = await self._store.former_member(
                self._account_id, user_id, email_key, self._session
            )
            if told is False:
                await self._store.note_told(self._account_id, user_id, email_key, self._session)
            return told is False
        if await self._store.is_told(self._account_id, rule, problem, self._session):
            return False
        await self._store.save_refusal(self._account_id, rule, problem, self._session)
        return True

    async def forget_refusal(self, rule: ConnectionRule) -> None:
        """Tell the rule's next problem again."""
        await self._store.forget_refusal(self._account_id, rule, self._session)
