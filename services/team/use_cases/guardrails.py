"""Guardrails: the list, declaring one with its present violations, and giving one up."""

from dataclasses import dataclass

from services.team.domain import guardrail_rules
from services.team.domain.account_access import AccountAccess
from services.team.domain.guardrail_violations import Held, Violation, present, told_to
from services.team.domain.guardrails import Guardrail, GuardrailRule
from services.team.domain.override_scope import measured
from services.team.use_cases.account_write import AccountWrite
from services.team.use_cases.context import AccountRequest, Ctx
from services.team.use_cases.guardrail_writes import held_in
from shared.ids import GuardrailId, new_id
from shared.journal import WriteResult


@dataclass(frozen=True, kw_only=True)
class ShownGuardrail:
    """A guardrail, and what contradicts it at the moment."""

    guardrail: Guardrail
    violations: tuple[Violation, ...]


def list_all(access: AccountAccess) -> tuple[Guardrail, ...]:
    """List the guardrails of the account, the oldest first."""
    return access.account.guardrails


async def get(ctx: Ctx, access: AccountAccess, guardrail_id: str) -> ShownGuardrail:
    """Return one guardrail with its present violations.

    Raises:
        NotFound: the account has no such guardrail.
    """
    guardrail = guardrail_rules.find(access.account, guardrail_id)
    policy = await ctx.store.account_policy(access.account, measured(guardrail.rule))
    held = await held_in(ctx.store, policy, now=access.now)
    return _shown(access, guardrail, held)


async def create(
    ctx: Ctx, request: AccountRequest, *, name: str, rule: GuardrailRule
) -> WriteResult[ShownGuardrail]:
    """Declare a rule of the account about itself (`B10`).

    It may be contradicted already: these violations are returned, and stay until they are mended.

    Raises:
        Invalid, GuardrailLimit: see the domain.
    """

    async def change(write: AccountWrite) -> ShownGuardrail:
        access = write.access
        policy = await write.account_policy(access.account, measured(rule))
        write.account, guardrail, fact = guardrail_rules.create(
            access,
            guardrail_id=GuardrailId(new_id("grd")),
            name=name,
            rule=rule,
            projects=policy.projects,
            limit=ctx.settings.guardrails_per_account,
        )
        write.record(fact)
        held = await held_in(ctx.store, policy, now=write.now)
        return _shown(access, guardrail, held)

    return await ctx.change(request, change, effective_everywhere=False)


def _shown(access: AccountAccess, guardrail: Guardrail, held: Held) -> ShownGuardrail:
    violations = told_to(access, present(guardrail, held))
    return ShownGuardrail(guardrail=guardrail, violations=tuple(violations))


async def delete(ctx: Ctx, request: AccountRequest, *, guardrail_id: str) -> WriteResult[None]:
    """Give a rule up.

    Raises:
        NotFound: the account has no such guardrail.
    """

    async def change(write: AccountWrite) -> None:
        account = write.access.account
        guardrail = guardrail_rules.find(account, guardrail_id)
        write.account, fact = guardrail_rules.delete(account, guardrail)
        write.record(fact)

    return await ctx.change(request, change, effective_everywhere=False)
