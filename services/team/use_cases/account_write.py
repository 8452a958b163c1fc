"""One attempt to change one account: what its use case reads, saves and records.

Everything is read and saved in the transaction of the journal. `Ctx.change` makes the object, runs
the use case with it and calls `finish`. A use case sees neither the session nor a revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.team.domain.account_access import AccountAccess, AccountUserRows
from services.team.domain.accounts import Account
from services.team.domain.invitation_limits import quota, rate_limited
from services.team.domain.invitation_mails import AccountMail, accepted_mailboxes, recent_mails
from services.team.domain.invitations import Invitation, InvitationContext
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.store import Store
from shared import context
from shared.contracts.facts import Fact, Position
from shared.http.preconditions import Precondition
from shared.ids import AccountId, InvitationId, ProjectId, UserId
from shared.journal import JournalWrite
from shared.problems import NotFound


class AccountWrite:
    """The account in its transaction. `account` is `None` if there is no such account (yet)."""

    def __init__(
        self,
        store: Store,
        write: JournalWrite,
        account_id: AccountId,
        *,
        account: Account | None,
        access: AccountAccess | None = None,
        precondition: Precondition | None = None,
        loaded: Mapping[UserId, AccountUserRows] | None = None,
    ) -> None:
        """Begin; `loaded` has users who were read with the account, in the same transaction."""
        self.account = account
        self._store = store
        self._write = write
        self._session = write.session
        self._account_id = account_id
        self._access = access
        self._precondition = precondition
        self._facts: list[Fact] = []
        loaded = loaded or {}
        self._members = {user_id: rows.membership for user_id, rows in loaded.items()}
        self._overrides = {user_id: list(rows.overrides) for user_id, rows in loaded.items()}

    @property
    def access(self) -> AccountAccess:
        """The acting member, after the permission of the request was checked.

        Raises:
            LookupError: the change is not one of a member.
        """
        if self._access is None:
            raise LookupError("this change was not authorized by a membership")
        return self._access

    @property
    def now(self) -> datetime:
        """The moment of this attempt."""
        return self._write.now

    @property
    def base(self) -> int:
        """The last sequence in the shard of the account before this attempt."""
        return self._write.base

    def require_precondition(self, resource: object | None, *, applied: bool = False) -> None:
        """Compare the request's precondition with the stored resource; None if there is none.

        `applied` tells that the resource is already as the request asks: then its tag may be newer.

        Raises:
            PreconditionFailed: the resource is not in the state that the request was made for.
        """
        if self._precondition is not None:
            self._precondition.require(resource, applied=applied)
            self._precondition = None

    def record(self, *facts: Fact) -> None:
        """Record what was decided, in this order; a change without a fact saves nothing."""
        self._facts.extend(facts)

    async def finish(self) -> None:
        """Number the facts without a gap in `account_rev`, and save the account.

        The account is saved over the revision that was read. A write that came between makes the
        whole attempt run again.

        Raises:
            LookupError: the use case did not compare the request's precondition.
        """
        if self._precondition is not None:
            raise LookupError("the precondition of this request was not compared")
        if not self._facts:
            return
        if self.account is None:
            raise LookupError(f"facts of {self._account_id}, which does not exist")
        before, rev = self.account.account_rev, self._write.rev
        self._write.record(
            *(
                replace(fact, account_id=self._account_id, account_rev=before + number)
                for number, fact in enumerate(self._facts, 1)
            )
        )
        numbered = replace(self.account, account_rev=before + len(self._facts))
        await self._store.update_account(
            numbered, expected_rev=before, rev=rev, session=self._session
        )

    async def insert_account(self, account: Account) -> None:
        """Save a new account."""
        await self._store.insert_account(account, rev=self._write.rev, session=self._session)
        self.account = account

    # Members

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
        self._members.pop(member.user_id, None)
        await self._store.replace_member(member, rev=self._write.rev, session=self._session)

    async def delete_member(self, member: Membership) -> None:
        """Delete a membership and its overrides."""
        self._members.pop(member.user_id, None)
        self._overrides.pop(member.user_id, None)
        await self._store.delete_member(member, self._session)
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

    # Invitations

    async def invitation(self, invitation_id: InvitationId) -> Invitation | None:
        """The invitation of that id, in any status."""
        return await self._store.invitation(invitation_id, self._session)

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

    async def pending_invitations(self) -> list[Invitation]:
        """The pending and expired invitations of the account."""
        return await self._store.pending(self._account_id, self._session)

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
        await self._store.insert_invitation(invitation, self._session)

    async def replace_invitations(self, invitations: Sequence[Invitation]) -> None:
        """Save changed invitations."""
        await self._store.replace_invitations(invitations, self._session)

    # Projects and overrides

    async def projects(self) -> list[Project]:
        """The account's projects."""
        return await self._store.projects(self._account_id, self._session)

    async def insert_project(self, project: Project) -> None:
        """Save a new project."""
        await self._store.insert_project(project, rev=self._write.rev, session=self._session)

    async def replace_project(self, project: Project) -> None:
        """Save a changed project."""
        await self._store.replace_project(project, rev=self._write.rev, session=self._session)

    async def delete_project(self, project: Project) -> None:
        """Delete a project and the overrides in it."""
        self._overrides.clear()
        await self._store.delete_project(project, self._session)
        await self._store.delete_overrides_in(self._account_id, project.project_id, self._session)

    async def overrides_of(self, user_id: UserId) -> list[ProjectOverride]:
        """The overrides of one member, in all projects."""
        if user_id in self._overrides:
            return self._overrides[user_id]
        return await self._store.overrides_of(self._account_id, user_id, self._session)

    async def overrides_in(self, project_id: ProjectId) -> list[ProjectOverride]:
        """The overrides in one project."""
        return await self._store.overrides_in(self._account_id, project_id, self._session)

    async def override(self, project_id: ProjectId, user_id: UserId) -> ProjectOverride | None:
        """The member's override in the project."""
        return await self._store.override(self._account_id, project_id, user_id, self._session)

    async def put_override(self, override: ProjectOverride) -> None:
        """Save an override, in place of the member's earlier one in the project."""
        self._overrides.pop(override.user_id, None)
        await self._store.put_override(override, rev=self._write.rev, session=self._session)

    async def delete_override(self, override: ProjectOverride) -> None:
        """Delete an override."""
        self._overrides.pop(override.user_id, None)
        await self._store.delete_override(override, self._session)
