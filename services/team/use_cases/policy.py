"""The policy of an account as one file: read, planned and applied."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.guardrail_violations import GuardrailViolated, added, told_to
from services.team.domain.override_scope import EVERY_OVERRIDE
from services.team.domain.policy_files import PolicyFile, PolicyRows, policy_of
from services.team.domain.policy_reading import require_held_everywhere
from services.team.domain.policy_steps import PolicyPlan, PolicyTooLarge, planned
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.guardrail_writes import held_in
from services.team.use_cases.policy_steps import PolicySteps
from shared.journal import DryRun, WriteResult
from shared.mongo import DbSession

READING = ("role:view", "member:view", "guardrail:manage")
IN_EACH_PROJECT = "project:view"


@dataclass(frozen=True, kw_only=True)
class ShownPolicy:
    """The policy of an account as of one revision."""

    account_rev: int
    policy: PolicyFile


@dataclass(frozen=True, kw_only=True)
class AppliedPolicy:
    """The changes that were made, and the policy as they leave it."""

    plan: PolicyPlan
    policy: ShownPolicy


@dataclass(frozen=True, kw_only=True)
class PreparedPolicy:
    """A file, and its plan for the account as it was at one revision."""

    wanted: PolicyFile
    account_rev: int
    rows: PolicyRows
    plan: PolicyPlan


@asynccontextmanager
async def turn(ctx: Ctx, request: AccountRequest) -> AsyncIterator[None]:
    """Hold the only place for a plan or a change by a file of this user, and of this account.

    Raises:
        Unavailable: those before take too long.
    """
    turns = ctx.policy_turns
    async with turns.turn(request.user_id), turns.turn(request.account_id):
        yield


async def read(ctx: Ctx, request: AccountRequest) -> ShownPolicy:
    """Return the policy of the account at one moment, for a caller who may see all of it.

    Raises:
        PermissionMissing, TokenRestricted: the caller may not see a part of it.
    """
    return _shown(await _seen(ctx, replace(request, while_deleting=True)))


async def prepare(ctx: Ctx, request: AccountRequest, wanted: PolicyFile) -> PreparedPolicy:
    """Read the file before the transaction that applies it: a fault in it holds up no write.

    Raises:
        PermissionMissing, TokenRestricted: the caller may not see a part of the policy.
        Invalid, PolicyTooLarge: see the domain.
    """
    rows = await _seen(ctx, request)
    plan = planned(rows, wanted, by=request.user_id)
    return PreparedPolicy(wanted=wanted, account_rev=rows.account.account_rev, rows=rows, plan=plan)


async def apply(
    ctx: Ctx, request: AccountRequest, prepared: PreparedPolicy
) -> WriteResult[AppliedPolicy]:
    """Make the account as the file says, in one transaction.

    Each step is authorized and refused as the same change is alone. The guardrails are checked
    once, for the account as all steps leave it. If the account has changed since the plan was
    made, another one is made.

    Raises:
        PermissionMissing, TokenRestricted: the caller may not see a part of the policy.
        Invalid, PolicyTooLarge: see the domain.
        PreconditionFailed: the account has changed since the caller read it.
        PolicyTooLarge: its changes take too long for one transaction.
        GuardrailViolated: the policy as a whole contradicts a guardrail.
        Refusal: as the use case of a step.
    """

    async def change(write: AccountWrite) -> AppliedPolicy:
        rows, plan = prepared.rows, prepared.plan
        if write.access.account.account_rev != prepared.account_rev:
            rows = await _rows(ctx, write, write.access.account)
            plan = planned(rows, prepared.wanted, by=request.user_id)
        _require_reading(write.access, rows)
        write.require_precondition(_shown(rows), applied=not plan.steps)
        if plan.steps:
            await _make(ctx, request, write, rows, plan)
            rows = await _rows(ctx, write, write.existing_account)
        return AppliedPolicy(plan=plan, policy=_shown(rows))

    return await ctx.change(request, change, effective_everywhere=True)


async def _seen(ctx: Ctx, request: AccountRequest) -> PolicyRows:
    """The rows of the account in one snapshot, in which the caller is authorized as well."""

    async def look(write: AccountWrite) -> PolicyRows:
        rows = await _rows(ctx, write, write.access.account)
        _require_reading(write.access, rows)
        return rows

    dry = replace(ctx, journal=DryRun(ctx.journal, look=_nothing), guardrails_bind=False)
    asked = replace(request, precondition=None)
    return (await dry.change(asked, look, effective_everywhere=False)).result


async def _nothing(session: DbSession) -> None:
    """What is looked at beside the rows."""


async def _rows(ctx: Ctx, write: AccountWrite, account: Account) -> PolicyRows:
    return PolicyRows(
        account=account,
        catalog=await ctx.store.catalog_of(account),
        members=await write.members(),
        projects=await write.projects(),
        overrides=await write.all_overrides(),
        now=write.now,
    )


async def _make(
    ctx: Ctx, request: AccountRequest, write: AccountWrite, rows: PolicyRows, plan: PolicyPlan
) -> None:
    """Make each step, and compare the guardrails before the first and after the last one."""
    policy = await write.account_policy(rows.account, EVERY_OVERRIDE)
    parts = write.parts(ctx.journal, reason=plan.policy_id)
    steps = PolicySteps(replace(ctx, journal=parts, guardrails_bind=False), request, rows)
    ends_at = ctx.clock.boottime() + ctx.timeouts.policy
    for made, step in enumerate(plan.steps):
        write.give_way()
        if ctx.clock.boottime() > ends_at:
            raise PolicyTooLarge(changes=len(plan.steps), limit=made)
        await steps.make(step)
    account = await write.read_again()
    if not ctx.guardrails_bind or not account.guardrails:
        return
    before = await held_in(ctx.store, policy, now=write.now)
    after = await held_in(ctx.store, policy.after(write.recorded), now=write.now)
    violations = added(account.guardrails, before, after)
    if violations:
        raise GuardrailViolated(*told_to(write.access, violations))


def _require_reading(access: AccountAccess, rows: PolicyRows) -> None:
    require_held_everywhere(access, READING, rows.projects, IN_EACH_PROJECT)


def _shown(rows: PolicyRows) -> ShownPolicy:
    return ShownPolicy(account_rev=rows.account.account_rev, policy=policy_of(rows))
