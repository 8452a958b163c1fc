"""What the use cases of team work with, who asks, and how every change of an account runs.

The account, the acting member and their overrides are read in the transaction of the change, and
the account is saved over the revision that was read. Nothing that the decision rests on can change
before the change is committed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from services.team.domain.account_access import AccountAccess, authorize
from services.team.settings import Settings
from services.team.store import Store
from services.team.use_cases.account_write import AccountWrite
from shared.activity import RecentActivity
from shared.clock import Clock
from shared.contracts.facts import Caller
from shared.following.live_callers import LiveCallers
from shared.http.client import InternalClient
from shared.http.idempotency import IdempotencyGuard
from shared.http.preconditions import Precondition
from shared.ids import AccountId, ProjectId, UserId
from shared.journal import Guard, JournalWrite, JournalWriter, Snapshot, WriteResult
from shared.leases import Leases
from shared.links import Links
from shared.mongo import DbClient
from shared.timeouts import Timeouts

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AccountRequest:
    """One request of a user about one account, and the permission that it needs.

    With `project_id` the permission is decided inside that project; `project_permission` is a right
    on it that the request needs as well. `named_user_id` is the user that the path names, who is
    read together with the acting member. `repeat_answer` makes, of the change's result, the answer
    that a repeat with the same idempotency key gets. `precondition` is about the resource that the
    request changes; its use case hands that resource to `AccountWrite.require_precondition`.
    """

    caller: Caller
    user_id: UserId
    account_id: AccountId
    permission: str
    project_permission: str | None = None
    project_id: ProjectId | None = None
    named_user_id: UserId | None = None
    guard: IdempotencyGuard | None = None
    repeat_answer: Callable[[Any], BaseModel] | None = None
    precondition: Precondition | None = None

    @property
    def permissions(self) -> tuple[str, ...]:
        """Every permission that the caller must hold, in the order of the checks."""
        if self.project_permission is None:
            return (self.permission,)
        return (self.permission, self.project_permission)


@dataclass(frozen=True, kw_only=True)
class NonMemberRequest:
    """A change of one account that no membership allows; the use case checks the caller itself.

    `guard` runs first in the transaction.
    """

    caller: Caller
    account_id: AccountId
    guard: Guard | None = None


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """The dependencies of team's use cases; made once, in `app`."""

    settings: Settings
    client: DbClient
    store: Store
    snapshot: Snapshot
    journal: JournalWriter
    leases: Leases
    internal: InternalClient
    callers: LiveCallers
    activity: RecentActivity
    links: Links
    clock: Clock
    timeouts: Timeouts

    async def authorize(self, request: AccountRequest) -> AccountAccess:
        """Load the account and the acting member for a request that changes nothing (`Ci12`).

        Raises:
            NotFound: there is no such account or project, or the caller is not a member.
            PermissionMissing: the caller is a member without the permission.
        """
        project_id = request.project_id
        rows = await self.store.access_rows(
            request.account_id, request.user_id, project_id=project_id
        )
        access = authorize(rows, *request.permissions, now=self.clock.now(), project_id=project_id)
        self._note_activity(request, access.now)
        return access

    async def change(
        self,
        request: AccountRequest | NonMemberRequest,
        change: Callable[[AccountWrite], Awaitable[T]],
        *,
        effective_everywhere: bool,
    ) -> WriteResult[T]:
        """Run `change` in one transaction, and save what it recorded; it may run more than once.

        The request of a member is authorized first. With `effective_everywhere` the change is
        acknowledged after the barrier, and so is a request that finds its change already made.

        The caller's session is checked again as the last step before each commit. A sign-out that
        is answered meanwhile is overtaken at most by a commit that is already on its way.

        Raises:
            TokenRevoked: the caller's session ended during the request.
            Stale: it cannot be known whether it did.
            NotFound, PermissionMissing: as `authorize`.
            Unavailable: the change is made but not effective yet, or the database was away.
            RepeatedRequest: the request's idempotency key was used; `Api` answers.
        """
        account_id = request.account_id

        async def attempt(write: JournalWrite) -> T:
            if isinstance(request, NonMemberRequest):
                account = await self.store.account(account_id, write.session)
                account_write = AccountWrite(self.store, write, account_id, account=account)
                result = await change(account_write)
                await account_write.finish()
                return result
            rows = await self.store.access_rows(
                account_id,
                request.user_id,
                project_id=request.project_id,
                named=request.named_user_id,
                session=write.session,
            )
            access = authorize(
                rows, *request.permissions, now=write.now, project_id=request.project_id
            )
            self._note_activity(request, access.now)
            member = access.membership
            write.caller = with_name(request.caller, name=member.name, email=member.email)
            account_write = AccountWrite(
                self.store,
                write,
                account_id,
                account=access.account,
                access=access,
                precondition=request.precondition,
                loaded={} if rows is None else rows.users,
            )
            result = await change(account_write)
            await account_write.finish()
            if request.guard is not None:
                if request.repeat_answer is None:
                    raise TypeError("an idempotent request needs the answer of its repeat")
                await request.guard.keep_answer(write.session, request.repeat_answer(result))
            return result

        return await self.journal.write(
            account_id,
            attempt,
            caller=request.caller,
            effective_everywhere=effective_everywhere,
            guard=_guard_of(request),
            before_commit=lambda: self.callers.check_actor(request.caller.actor),
        )

    def _note_activity(self, request: AccountRequest, at: datetime) -> None:
        self.activity.note(request.account_id, request.user_id, at)


def with_name(caller: Caller, *, name: str, email: str) -> Caller:
    """The caller with the user's name and address, for people who read the record."""
    if caller.actor.type != "user" or caller.actor.name is not None:
        return caller
    shown = {"name": name, "email": email}
    return replace(caller, actor=caller.actor.model_copy(update=shown))


def _guard_of(request: AccountRequest | NonMemberRequest) -> Guard | None:
    if isinstance(request, NonMemberRequest):
        return request.guard
    return None if request.guard is None else request.guard.take_key
