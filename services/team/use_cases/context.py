"""What the use cases of team work with, who asks, and how every change of an account runs.

The account, the acting member and their overrides are read in the transaction of the change, and
the account is saved over the revision that was read. Nothing that the decision rests on can change
before the change is committed.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel

from services.team.domain.account_access import (
    AccountAccess,
    ClientAccess,
    authorize,
    require_active,
)
from services.team.domain.override_scope import NO_OVERRIDES, OverrideScope
from services.team.settings import Settings
from services.team.store import Store
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.callers import with_name
from services.team.use_cases.comparisons import Comparer, PreviewedWrite
from services.team.use_cases.guardrail_writes import OverridesUnread
from services.team.use_cases.repeat_answers import keep_answer
from shared.activity import RecentActivity
from shared.auth.bindings import require_account
from shared.auth.principals import ApiTokenPrincipal, ClientPrincipal
from shared.clock import Clock
from shared.contracts.facts import Caller
from shared.following.live_callers import LiveCallers
from shared.http.client import InternalClient
from shared.http.idempotency import IdempotencyGuard
from shared.http.preconditions import Precondition
from shared.ids import AccountId, ProjectId, UserId
from shared.journal import Guard, History, JournalWrite, JournalWriter, Snapshot, WriteResult
from shared.journal.turns import KeyedTurns
from shared.leases import Leases
from shared.links import Links
from shared.mongo import DbClient
from shared.problems import NotFound
from shared.timeouts import Timeouts
from shared.token_uses import TokenUses

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class AccountRequest:
    """One request of a user about one account, and the permission that it needs.

    With `project_id` the permission is decided inside that project; `project_permission` is a right
    on it that the request needs as well. `named_user_id` is the user of the path, who is read with
    the acting member. `repeat_answer` makes, of the change's result, the answer that a repeat with
    the same idempotency key gets. `AccountWrite.require_precondition` compares the `precondition`.
    `previewed` are the tags of previews: the change does what one of them has said, or is refused.
    An API `token` bounds what the user may do and give. An owner may do it `while_deleting`; a
    member `without_factor`, even if one is demanded.
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
    previewed: Collection[str] | None = None
    token: ApiTokenPrincipal | None = None
    while_deleting: bool = False
    without_factor: bool = False

    @property
    def permissions(self) -> tuple[str, ...]:
        """Every permission that the caller must hold, in the order of the checks."""
        if self.project_permission is None:
            return (self.permission,)
        return (self.permission, self.project_permission)

    @property
    def override_scope(self) -> OverrideScope:
        """The overrides that most changes of its kind concern."""
        if self.named_user_id is not None:
            return OverrideScope(users=frozenset({self.user_id, self.named_user_id}))
        projects = () if self.project_id is None else (self.project_id,)
        return OverrideScope(users=frozenset({self.user_id}), projects=frozenset(projects))


@dataclass(frozen=True, kw_only=True)
class NonMemberRequest:
    """A change of one account that no membership allows; the use case checks the caller itself.

    `guard` and the key `idempotency` run first in the transaction. `repeat_answer` and
    `precondition` are as in `AccountRequest`. `override_scope` has the overrides that it concerns.
    """

    caller: Caller
    account_id: AccountId
    guard: Guard | None = None
    idempotency: IdempotencyGuard | None = None
    repeat_answer: Callable[[Any], BaseModel] | None = None
    precondition: Precondition | None = None
    override_scope: OverrideScope = NO_OVERRIDES


@dataclass(frozen=True, kw_only=True)
class ClientRequest(NonMemberRequest):
    """A change by a service client of an account that it is bound to.

    The use case checks the resource types.
    """

    client: ClientPrincipal


@dataclass(frozen=True, kw_only=True)
class Ctx:
    """The dependencies of team's use cases; made once, in `app`.

    `guardrails_bind` is false in a preview alone, which shows what they would refuse.
    """

    settings: Settings
    client: DbClient
    store: Store
    snapshot: Snapshot
    journal: JournalWriter
    history: History
    leases: Leases
    internal: InternalClient
    callers: LiveCallers
    activity: RecentActivity
    token_uses: TokenUses
    links: Links
    clock: Clock
    timeouts: Timeouts
    guardrails_bind: bool = True
    policy_turns: KeyedTurns = field(default_factory=KeyedTurns)

    async def authorize(self, request: AccountRequest) -> AccountAccess:
        """Load the account and the acting member for a request that changes nothing (`Ci12`).

        The owner may look at an account that is being deleted.

        Raises:
            NotFound: there is no such account or project, or the caller is not a member.
            SuspendedAccount, DeletingAccount: no member may do anything there now.
            SecondFactorRequired: the account demands one, and the caller has none.
            PermissionMissing: the caller is a member without the permission.
        """
        rows = await self.store.access_rows(
            request.account_id, request.user_id, project_id=request.project_id
        )
        access = authorize(
            rows,
            *request.permissions,
            now=self.clock.now(),
            project_id=request.project_id,
            while_deleting=True,
            token=request.token,
            second_factor=self.callers.has_second_factor(request.user_id),
        )
        self._note_activity(request, access.now)
        return access

    async def authorize_client(
        self, client: ClientPrincipal, account_id: AccountId
    ) -> ClientAccess:
        """Load the account for a service client's request that changes nothing.

        Raises:
            AccountNotBound: the client is bound to other accounts.
            NotFound: there is no such account.
        """
        require_account(client.account_ids, account_id)
        account = await self.store.account(account_id)
        if account is None:
            raise NotFound
        return ClientAccess(client=client, account=account)

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

        The caller's session and second factor are checked again as the last step before each
        commit: an end that is answered meanwhile is overtaken by at most one that is on its way.

        Raises:
            TokenRevoked: the caller's session ended during the request.
            Stale: it cannot be known whether it did.
            NotFound, PermissionMissing, SecondFactorRequired: as `authorize`.
            SuspendedAccount, DeletingAccount: nothing may be changed there now.
            Unavailable: the change is made but not effective yet, or the database was away.
            GuardrailViolated: the account has declared a rule that the change contradicts.
            RepeatedRequest: the request's idempotency key was used; `Api` answers.
            PreviewOutdated: the change would not do what the preview of the request has said.
        """
        scope, factor_of = request.override_scope, None
        previewed = None if isinstance(request, NonMemberRequest) else request.previewed

        async def attempt(write: JournalWrite) -> T:
            nonlocal scope, factor_of
            account_write = await self._begin(request, write)
            factor_of = account_write.second_factor_of
            if self.guardrails_bind:
                await account_write.watch_guardrails(account_write.account, scope)
            seen = PreviewedWrite(Comparer(self.store, self.callers), write, previewed)
            await seen.begin(request.account_id, scope)
            try:
                result = await change(account_write)
                await account_write.finish()
                await seen.require()
            except OverridesUnread as unread:
                scope |= unread.scope
                raise
            await keep_answer(_key_of(request), write, result, make=request.repeat_answer)
            return result

        return await self.journal.write(
            request.account_id,
            attempt,
            caller=request.caller,
            effective_everywhere=effective_everywhere,
            guard=_guard_of(request),
            before_commit=lambda: self.callers.check_actor(request.caller.actor, factor_of),
        )

    async def _begin(
        self, request: AccountRequest | NonMemberRequest, write: JournalWrite
    ) -> AccountWrite:
        """Load the account, and authorize the request of a member."""
        account_id = request.account_id
        if isinstance(request, NonMemberRequest):
            account = await self.store.account(account_id, write.session)
            if isinstance(request, ClientRequest):
                if account is None:
                    raise NotFound
                require_active(account)
            return AccountWrite(
                self.store, write, account_id, account=account, precondition=request.precondition
            )
        user_id, project_id, named = request.user_id, request.project_id, request.named_user_id
        rows = await self.store.access_rows(
            account_id, user_id, project_id=project_id, named=named, session=write.session
        )
        access = authorize(
            rows,
            *request.permissions,
            now=write.now,
            project_id=project_id,
            while_deleting=request.while_deleting,
            token=request.token,
            second_factor=request.without_factor or self.callers.has_second_factor(user_id),
        )
        self._note_activity(request, access.now)
        member = access.membership
        write.caller = with_name(request.caller, name=member.name, email=member.email)
        return AccountWrite(
            self.store,
            write,
            account_id,
            account=access.account,
            access=access,
            precondition=request.precondition,
            loaded={} if rows is None else rows.users,
            without_factor=request.without_factor,
        )

    def _note_activity(self, request: AccountRequest, at: datetime) -> None:
        self.activity.note(request.account_id, request.user_id, at)
        if request.token is not None:
            self.token_uses.note(request.token.token_id, at)


def _guard_of(request: AccountRequest | NonMemberRequest) -> Guard | None:
    if isinstance(request, NonMemberRequest) and request.guard is not None:
        return request.guard
    key = _key_of(request)
    return None if key is None else key.take_key


def _key_of(request: AccountRequest | NonMemberRequest) -> IdempotencyGuard | None:
    return request.idempotency if isinstance(request, NonMemberRequest) else request.guard
