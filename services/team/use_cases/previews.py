"""Previews: what a change would do to the members, invitations and guardrails of an account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from services.team.domain.guardrail_violations import Violation, added, told_to
from services.team.domain.override_scope import OverrideScope, touched
from services.team.domain.preview_tags import Effects, preview_tag
from services.team.use_cases.comparisons import ComparedRows, Comparer
from services.team.use_cases.context import AccountRequest, Ctx
from shared.journal import DryRun
from shared.mongo import DbSession
from shared.problems import NotFound


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a change would do, computed for `account_rev`; `tag` names it.

    `violations` are what guardrails would refuse it for. `names_shown` says whether the caller may
    see who the members are.
    """

    account_rev: int
    effects: Effects
    violations: tuple[Violation, ...]
    names_shown: bool
    tag: str


async def preview(
    ctx: Ctx,
    request: AccountRequest,
    real: AccountRequest,
    change: Callable[[Ctx, AccountRequest], Awaitable[object]],
    *,
    scope: OverrideScope | None = None,
) -> Preview:
    """Run `change` dry, and compare the account before and after it (`B9`).

    `change` gets the context to use and the `real` request, and is authorized and refused as the
    real one. Guardrails do not refuse it: the preview lists what they would refuse. With a `scope`
    of overrides that is too small it runs again; the default is that of a single change.

    Raises:
        NotFound, PermissionMissing: the caller is not a member.
    """
    access = await ctx.authorize(request)  # the rows are read for members alone
    dry, was = await _dry_run(ctx, real, change, scope=scope or real.override_scope)
    while not was.scope.covers(needed := touched(was.policy, dry.facts)):
        dry, was = await _dry_run(ctx, real, change, scope=was.scope | needed)
    is_ = dry.after
    found = await Comparer(ctx.store, ctx.callers).compare(was, is_, dry.facts, now=dry.now)
    guardrails = () if is_ is None else is_.account.guardrails
    violations = tuple(told_to(access, added(guardrails, found.before, found.after)))
    return Preview(
        account_rev=was.account.account_rev,
        effects=found.effects,
        violations=violations,
        names_shown=access.sees_members,
        tag=preview_tag(found.effects, violations),
    )


async def _dry_run(
    ctx: Ctx,
    real: AccountRequest,
    change: Callable[[Ctx, AccountRequest], Awaitable[object]],
    *,
    scope: OverrideScope,
) -> tuple[DryRun[ComparedRows | None], ComparedRows]:
    """Run the change dry, and read the account around it with the overrides of the scope."""
    comparer = Comparer(ctx.store, ctx.callers)

    async def look(session: DbSession) -> ComparedRows | None:
        return await comparer.rows(real.account_id, scope, session)

    dry = DryRun(ctx.journal, look=look)
    await change(replace(ctx, journal=dry, guardrails_bind=False), real)
    if dry.before is None:
        raise NotFound
    return dry, dry.before
