"""The invitations of the account that an attempt changes, and their limits."""

from collections.abc import Sequence

from services.team.domain.invitation_limits import quota, rate_limited
from services.team.domain.invitation_mails import AccountMail, accepted_mailboxes, recent_mails
from services.team.domain.invitations import Invitation, InvitationContext
from services.team.use_cases.member_writes import MemberWrites
from shared import context
from shared.ids import InvitationId, UserId
from shared.problems import NotFound


class InvitationWrites(MemberWrites):
    """Invitations, the seats that they take, and the mails that they cause."""

    async def invitation(self, invitation_id: InvitationId) -> Invitation | None:
        """The invitation of that id, in any status."""
        return await self._store.invitation(self._account_id, invitation_id, self._session)

    async def pending_invitation(self, invitation_id: InvitationId) -> Invitation:
        """The account's pending (or expired) invitation that a path names.

        Raises:
            NotFound: the account has no such pending invitation.
        """
        found = await self._store.pending_invitation(self._account_id, invitation_id, self._session)
        if found is None:
            raise NotFound
        return found

    async def open_invitations_of(self, inviter_id: UserId) -> list[Invitation]:
        """The open invitations of which this member is the inviter."""
        return await self._store.open_of(
            self._account_id, inviter_id, now=self.now, session=self._session
        )

    async def open_invitations(self) -> list[Invitation]:
        """The open invitations of the account."""
        return await self._store.open_invitations(
            self._account_id, now=self.now, session=self._session
        )

    async def pending_invitations(self) -> list[Invitation]:
        """The pending and expired invitations of the account."""
        return await self._store.pending(self._account_id, self._session)

    async def pending_with_role(self, role_id: str) -> list[Invitation]:
        """The pending and expired invitations of the account with this role."""
        return await self._store.pending_with_role(self._account_id, role_id, self._session)

    async def invitation_context(self, email_key: str) -> InvitationContext:
        """The seats that are taken, and what the address has already."""
        account_id, session = self._account_id, self._session
        return InvitationContext(
            members=await self.count_members(),
            open_invitations=await self._store.count_open(
                account_id, now=self.now, session=session
            ),
            is_member=await self._store.is_member(account_id, email_key, session),
            pending=await self._store.pending_for(account_id, email_key, session),
        )

    async def count_invitation(self, *, limit: int) -> None:
        """Count an invitation of the account; the answer tells what is left of the day.

        Raises:
            InvitationRateLimited: the limit of a day is reached.
        """
        times = await self._store.invitation_times(self._account_id, self._session)
        context.quotas.set((quota(times, limit=limit, now=self.now),))
        times = rate_limited(times, limit=limit, now=self.now)
        context.quotas.set((quota(times, limit=limit, now=self.now),))
        await self._store.save_invitation_times(
            self._account_id, times, now=self.now, session=self._session
        )

    async def recent_mails(self) -> list[AccountMail]:
        """The invitations that the account has mailed in the last day."""
        mails = await self._store.account_mails(self._account_id, self._session)
        return recent_mails(mails, now=self.now)

    async def count_mail(self, mailbox: str) -> None:
        """Count an invitation that the account mails."""
        mail = AccountMail(mailbox=mailbox, at=self.now)
        await self._store.add_account_mail(self._account_id, mail, self._session)

    async def accepted_mailboxes(self) -> int:
        """How many mailboxes of others have joined the account by an invitation."""
        return accepted_mailboxes(await self._store.members(self._account_id, self._session))

    async def insert_invitation(self, invitation: Invitation) -> None:
        """Save a new invitation."""
        await self._store.insert_invitation(invitation, now=self.now, session=self._session)

    async def replace_invitations(self, invitations: Sequence[Invitation]) -> None:
        """Save changed invitations."""
        await self._store.replace_invitations(invitations, now=self.now, session=self._session)
