"""What a change does to the members and invitations of an account, by its rows and its facts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import AccountState, milliseconds
from services.team.domain.account_policy import AccountPolicy
from services.team.domain.accounts import Account
from services.team.domain.guardrail_violations import Held
from services.team.domain.impact import impact_of
from services.team.domain.invitations import Invitation
from services.team.domain.override_scope import OverrideScope, counted, touched
from services.team.domain.preview_tags import (
    ConcernedInvitation,
    ConcernedMember,
    Effects,
    preview_tag,
)
from services.team.domain.resource_types import MAX_TYPES, without_permissions
from services.team.store import Store
from services.team.use_cases.guardrail_writes import OverridesUnread, held_in
from shared.contracts import team
from shared.contracts.facts import Fact
from shared.following.live_callers import LiveCallers
from shared.http.preconditions import require_previewed
from shared.ids import AccountId
from shared.journal import JournalWrite
from shared.mongo import DbSession


@dataclass(frozen=True, kw_only=True)
class ComparedRows:
    """What is compared of an account before and after a change, as a transaction reads it."""

    account: Account
    policy: AccountPolicy
    pending: list[Invitation]
    scope: OverrideScope


@dataclass(frozen=True, kw_only=True)
class ComparedChange:
    """The effects of a change, and who holds what before and after it."""

    effects: Effects
    before: Held
    after: Held


class Comparer:
    """Compares one account before and after a change."""

    def __init__(self, store: Store, callers: LiveCallers) -> None:
        self._store = store
        self._callers = callers

    async def rows(
        self, account_id: AccountId, scope: OverrideScope, session: DbSession
    ) -> ComparedRows | None:
        """Read the account with the overrides of the scope; `None`: there is no such account."""
        account = await self._store.account(account_id, session)
        if account is None:
            return None
        read = scope | counted(account.guardrails)
        return ComparedRows(
            account=account,
            policy=await self._store.account_policy(account, read, session),
            pending=await self._store.pending(account_id, session),
            scope=read,
        )

    async def compare(
        self,
        was: ComparedRows,
        is_: ComparedRows | None,
        facts: Collection[Fact],
        *,
        now: datetime,
    ) -> ComparedChange:
        """Compare the rows before a change with those after it, and with what its facts say."""
        before = await held_in(self._store, was.policy, now=now)
        after = await held_in(self._store, was.policy.after(facts), now=now)
        impacts = impact_of(
            _demanding(before),
            _demanding(after),
            other_roles={*_other_roles(facts)},
            with_factor={*filter(self._callers.has_second_factor, before.state.members)},
            now=milliseconds(now),
        )
        left = () if is_ is None else is_.pending
        effects = Effects(
            members=tuple(
                ConcernedMember.between(impact, before.policy, after.policy) for impact in impacts
            ),
            invitations=tuple(ConcernedInvitation.among(was.pending, left)),
            resource_types_lost=await self._lost_types(was.account, after),
        )
        return ComparedChange(effects=effects, before=before, after=after)

    async def _lost_types(self, account: Account, after: Held) -> tuple[str, ...]:
        """The types in use of which another catalog has no permission."""
        if after.policy.account.catalog == account.catalog:
            return ()
        types = self._callers.resource_types_of(account.account_id)
        if account.resource_count:
            types |= {*await self._store.resource_types(account.account_id, limit=MAX_TYPES)}
        return without_permissions(after.state.catalog, types)


class PreviewedWrite:
    """One attempt of a change, which counts only if it does what its previews have said.

    A request that names no preview pays nothing.
    """

    _was: ComparedRows | None = None

    def __init__(
        self, comparer: Comparer, write: JournalWrite, previewed: Collection[str] | None
    ) -> None:
        self._comparer = comparer
        self._write = write
        self._previewed = previewed

    async def begin(self, account_id: AccountId, scope: OverrideScope) -> None:
        """Read the account before the change, with the overrides of the scope."""
        if self._previewed is not None:
            self._was = await self._comparer.rows(account_id, scope, self._write.session)

    async def require(self) -> None:
        """Compare the change, which has recorded its facts, with what was previewed.

        A change that was made already does nothing more, and is answered so.

        Raises:
            PreviewOutdated: it does something else.
            OverridesUnread: it cannot be said yet.
        """
        was, facts = self._was, self._write.facts
        if self._previewed is None or was is None or not facts:
            return
        if not was.scope.covers(needed := touched(was.policy, facts)):
            raise OverridesUnread(needed)
        is_ = await self._comparer.rows(was.account.account_id, was.scope, self._write.session)
        found = await self._comparer.compare(was, is_, facts, now=self._write.now)
        require_previewed(preview_tag(found.effects, ()), self._previewed)


def _demanding(held: Held) -> AccountState:
    """The state with what the account demands, which guardrails do not count."""
    return replace(held.state, require_second_factor=held.policy.account.require_second_factor)


def _other_roles(facts: Iterable[Fact]) -> Iterator[str]:
    """Who gets another role, and a mail about it; a role of another catalog is another one."""
    for fact in facts:
        if isinstance(fact.payload, team.MemberRoleChanged):
            yield fact.payload.user_id
