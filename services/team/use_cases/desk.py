"""How does every request about an account begin, and every write end?

The actor's row, their overrides and the account are read in the write's own transaction, and the
account's row is updated by its expected `account_rev` in the same one: nothing that the decision
rests on can change before the write is there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from rolecall import AccountState, CompiledCatalog, Member
from services.team.domain.accounts import Account
from services.team.domain.authority import account_state, member_state, require
from services.team.domain.members import Membership
from services.team.domain.projects import Project
from services.team.use_cases.context import Act, Ctx
from shared.contracts.facts import Caller, Fact
from shared.http.idempotency import Once, Repeated
from shared.ids import AccountId, ProjectId, UserId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import DbSession
from shared.problems import NotFound, Refusal, RefusalKind, Unavailable

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What is known about the account and the acting member once they may go on."""

    account: Account
    catalog: CompiledCatalog
    membership: Membership
    member: Member
    state: AccountState
    now: datetime
    project: Project | None = None

    def is_owner(self, membership: Membership) -> bool:
        """Whether this is the owner's membership."""
        return membership.user_id == self.account.owner_user_id


async def catalog_of(ctx: Ctx, account: Account) -> CompiledCatalog:
    """The account's catalog."""
    catalog = await ctx.store.catalog(account.catalog)
    if catalog is None:
        raise LookupError(f"catalog {account.catalog} is not published")
    return catalog


async def enter(
    ctx: Ctx, act: Act, *, tx: JournalWrite | None = None, project_id: ProjectId | None = None
) -> Desk:
    """Load what the decision needs, and decide whether the actor may go on (`Ci12`).

    Raises:
        NotFound: no such account or project, or the actor is no member.
        PermissionMissing: a member without `act.permission` (in the project, if one is named).
    """
    session = None if tx is None else tx.session
    now = ctx.clock.now() if tx is None else tx.now
    account = await ctx.store.account(act.account_id, session)
    membership = await ctx.store.member(act.account_id, act.user_id, session)
    if account is None or membership is None:
        raise NotFound
    catalog = await catalog_of(ctx, account)
    overrides = await ctx.store.overrides_of(act.account_id, act.user_id, session)
    project = None
    if project_id is not None:
        project = await ctx.store.project(act.account_id, project_id, session)
    member = member_state(catalog, membership, overrides)
    projects = [] if project is None else [project.project_id]
    state = account_state(account, catalog, [member], projects)
    require(state, act.user_id, act.permission, now=now, project_id=project_id)
    return Desk(
        account=account,
        catalog=catalog,
        membership=membership,
        member=member,
        state=state,
        now=now,
        project=project,
    )


async def member_of(
    ctx: Ctx, account: Account, user_id: str, session: DbSession | None
) -> Membership:
    """The member that a path names.

    Raises:
        NotFound: there is none.
    """
    found = await ctx.store.member(account.account_id, UserId(user_id), session)
    if found is None:
        raise NotFound
    return found


async def save(ctx: Ctx, tx: JournalWrite, account: Account, facts: Sequence[Fact]) -> None:
    """Save the account and tell the facts, numbered in the account's own gapless count."""
    revision = tx.rev
    tx.record(
        *(
            replace(fact, account_id=account.account_id, account_rev=account.account_rev + number)
            for number, fact in enumerate(facts, 1)
        )
    )
    counted = replace(account, account_rev=account.account_rev + len(facts))
    await ctx.store.update_account(
        counted, expected_rev=account.account_rev, rev=revision, session=tx.session
    )


async def with_name(ctx: Ctx, caller: Caller, account_id: AccountId) -> Caller:
    """The caller with the member's name and address, for people who read or are mailed of it."""
    if caller.actor.type != "user" or caller.actor.name is not None:
        return caller
    member = await ctx.store.member(account_id, UserId(caller.actor.id))
    if member is None:
        return caller
    shown = {"name": member.name, "email": member.email}
    return replace(caller, actor=caller.actor.model_copy(update=shown))


async def commit(
    ctx: Ctx,
    account_id: AccountId,
    work: Callable[[JournalWrite], Awaitable[T]],
    *,
    caller: Caller,
    effective_everywhere: bool,
    once: Once | None = None,
) -> WriteResult[T]:
    """Run a write of the account.

    A policy request that finds its change already made answers only when that change is in force:
    it awaits the barrier at the shard's head first.

    Raises:
        Unavailable: it is made, but not in force yet; or the database was away.
        Repeated: the request's idempotency key was used; its answer is kept.
    """
    guard = None if once is None else once.guard
    named = await with_name(ctx, caller, account_id)
    try:
        written = await ctx.journal.write(
            account_id, work, caller=named, effective_everywhere=effective_everywhere, guard=guard
        )
    except Repeated:
        if effective_everywhere:
            await _settle(ctx, account_id)
        raise
    except Refusal as refusal:
        if effective_everywhere and refusal.kind in {RefusalKind.NOT_FOUND, RefusalKind.CONFLICT}:
            await _settle(ctx, account_id)
        raise
    if effective_everywhere and written.revision is None:
        await _settle(ctx, account_id)
    return written


async def _settle(ctx: Ctx, account_id: AccountId) -> None:
    if not await ctx.journal.settle(account_id):
        raise Unavailable
