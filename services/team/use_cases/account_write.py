"""One attempt to change one account: what its use case reads, saves and records.

Everything is read and saved in the transaction of the journal. `Ctx.change` makes the object, runs
the use case with it and calls `finish`. A use case sees neither the session nor a revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.team.domain import ownership
from services.team.domain.account_access import AccountAccess, AccountUserRows
from services.team.domain.accounts import Account
from services.team.store import Store
from services.team.use_cases.ending_writes import EndingWrites
from services.team.use_cases.former_writes import FormerMemberWrites
from services.team.use_cases.guardrail_writes import GuardrailWrites
from services.team.use_cases.owner_writes import OwnerWrites
from services.team.use_cases.project_writes import ProjectWrites
from services.team.use_cases.provisioning_writes import ProvisioningWrites
from services.team.use_cases.resource_writes import ResourceWrites
from shared.contracts.facts import Fact, shard_of
from shared.http.preconditions import Precondition
from shared.ids import AccountId, UserId
from shared.journal import JournalWrite, JournalWriter, PartsOfWrite


class AccountWrite(
    ProvisioningWrites,
    FormerMemberWrites,
    ProjectWrites,
    ResourceWrites,
    EndingWrites,
    OwnerWrites,
    GuardrailWrites,
):
    """The account in its transaction."""

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
        without_factor: bool = False,
    ) -> None:
        """Begin; `loaded` has users who were read with the account, in the same transaction."""
        super().__init__(store, write, account_id, account=account, loaded=loaded)
        self._access = access
        self._precondition = precondition
        self._without_factor = without_factor
        self._facts: list[Fact] = []
        self._deleted = False
        self._opened: list[AccountWrite] = []

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
    def second_factor_of(self) -> UserId | None:
        """The acting member, if the account demands that they have a second factor for this."""
        demanded = self.account is not None and self.account.require_second_factor
        demanded = demanded and not self._without_factor
        return self.access.membership.user_id if demanded and self._access is not None else None

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
        """Number the facts without a gap in `account_rev`, and save or delete the account.

        That happens over the revision that was read. A write that came between makes the whole
        attempt run again. An offer of the ownership ends here, whichever change took its receiver
        or its account away.

        Raises:
            GuardrailViolated: the change contradicts a guardrail of the account.
            LookupError: the use case did not compare the request's precondition.
        """
        if self._precondition is not None:
            raise LookupError("the precondition of this request was not compared")
        if not self._facts:
            return
        account = self.existing_account
        reason = ownership.reason_to_end(account, inactive=self._inactive)
        if reason is not None:
            account, ended = ownership.end(account, reason)
            self.account = account
            self._facts.append(ended)
        await self.require_guardrails(account, self._facts, access=self._access)
        before, rev = account.account_rev, self._write.rev
        self._write.record(
            *(
                replace(fact, account_id=self._account_id, account_rev=before + number)
                for number, fact in enumerate(self._facts, 1)
            )
        )
        if self._deleted:
            await self._store.delete_account(
                self._account_id, expected_rev=before, session=self._session
            )
        else:
            numbered = replace(account, account_rev=before + len(self._facts))
            await self._store.update_account(
                numbered, expected_rev=before, rev=rev, session=self._session
            )
        for opened in self._opened:
            await opened.finish()

    def opening(self, account_id: AccountId) -> "AccountWrite":
        """The write of a further account that this attempt opens, in the same journal shard.

        Raises:
            ValueError: the account would be in another shard.
        """
        if shard_of(account_id) != shard_of(self._account_id):
            raise ValueError(f"{account_id} is not in the shard of {self._account_id}")
        opened = AccountWrite(self._store, self._write, account_id, account=None)
        self._opened.append(opened)
        return opened

    def parts(self, journal: JournalWriter, *, reason: str) -> PartsOfWrite:
        """A journal for use cases that are parts of this attempt; `reason` is in their facts."""
        return PartsOfWrite(journal, self._write, reason=reason)

    def give_way(self) -> None:
        """Say in a long change that nothing of it hangs on going on; see `JournalWrite`."""
        self._write.give_way()

    @property
    def recorded(self) -> Sequence[Fact]:
        """What the parts of this attempt have recorded."""
        return self._write.facts

    async def read_again(self) -> Account:
        """Read the account as the parts of this attempt have left it."""
        self.account = await self._store.account(self._account_id, self._session)
        return self.existing_account

    def delete_account(self) -> None:
        """Delete the account at the end of this attempt."""
        self._deleted = True

    async def insert_account(self, account: Account) -> None:
        """Save a new account."""
        await self._store.insert_account(account, rev=self._write.rev, session=self._session)
        self.account = account
