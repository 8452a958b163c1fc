"""Former members of the account, and the problems of its connections' rules that were told."""

from dataclasses import replace

from services.team.domain.connection_joins import OF_THE_USER, ConnectionRule
from services.team.domain.members import MAX_IDENTITIES, Membership, PersonTraits
from services.team.use_cases.member_writes import MemberWrites
from shared.contracts.calls.connections import JoinProblem


class FormerMemberWrites(MemberWrites):
    """Users who were members, and come back by an invitation or a provisioning alone."""

    async def admit(self, member: Membership) -> None:
        """Save the membership of a user who joins, also of one who was a member before."""
        await self.insert_member(member)
        await self._store.forget_former([member], self._session)

    async def was_member(self, traits: PersonTraits) -> bool:
        """Whether the person was a member before, or is one by another user and gets nothing."""
        told = await self._store.former_member(self._account_id, traits, self._session)
        if told is not None:
            return True
        others = await self._store.members_by_identity(
            self._account_id, traits.identities, self._session
        )
        return any(not one.in_force(self.now) for one in others)

    async def note_identity(self, member: Membership, identity: str | None) -> None:
        """Note by which subject of an issuer a member has signed in."""
        if identity is not None and identity not in member.identities:
            known = (*member.identities, identity)[-MAX_IDENTITIES:]
            await self._store.save_identities(member, known, self._session)
            await self._store.forget_former([replace(member, identities=known)], self._session)

    async def refusal_is_new(
        self, rule: ConnectionRule, problem: JoinProblem, traits: PersonTraits
    ) -> bool:
        """Whether this refusal was not recorded yet; it counts as recorded from now on."""
        if problem in OF_THE_USER:
            told = await self._store.former_member(self._account_id, traits, self._session)
            if told is False:
                await self._store.note_told(self._account_id, traits, self._session)
            return told is False
        if await self._store.is_told(self._account_id, rule, problem, self._session):
            return False
        await self._store.save_refusal(self._account_id, rule, problem, self._session)
        return True

    async def forget_refusal(self, rule: ConnectionRule) -> None:
        """Tell the rule's next problem again."""
        await self._store.forget_refusal(self._account_id, rule, self._session)
