"""Record the decisions that a replica of authz has counted: denials, and the drawn allows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from services.audit.domain.decision_facts import allow_facts, denial_facts
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared.contracts.calls.decision_counts import AllowReport, DenialReport
from shared.contracts.facts import NO_REQUEST, Caller, Fact, shard_of
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere, DbSession


async def record_denials(ctx: Ctx, caller: Caller, report: DenialReport) -> None:
    """Record a batch of denials once, however often it is sent.

    Raises:
        Unavailable: the database was away; the batch is to be sent again.
    """
    await _record_once(ctx, caller, report, denial_facts(report))


async def record_allows(ctx: Ctx, caller: Caller, report: AllowReport) -> None:
    """Record a batch of allows once; it raises as `record_denials`."""
    await _record_once(ctx, caller, report, allow_facts(report))


async def _record_once(
    ctx: Ctx, caller: Caller, report: DenialReport | AllowReport, facts_of_batch: Iterable[Fact]
) -> None:
    """Record a batch: each shard marks that it has its part.

    A count is of many requests. The one that reports it is of neither the member nor the decision.
    """
    caller = replace(caller, request=NO_REQUEST)
    of_shard: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts_of_batch:
        of_shard[shard_of(_key(fact))].append(fact)
    for shard, facts in of_shard.items():
        try:
            await write_named(
                ctx,
                _key(facts[0]),
                partial(_record, facts),
                caller=caller,
                guard=partial(_mark, ctx, f"{report.life}.{report.number}.{shard}"),
            )
        except AlreadyThere:
            continue  # this part was recorded; only the answer was lost


def _key(fact: Fact) -> str:
    return fact.account_id or fact.resource.id


async def _record(facts: list[Fact], write: JournalWrite) -> None:
    write.record(*facts)


async def _mark(ctx: Ctx, part: str, session: DbSession) -> None:
    await ctx.store.add_denial_batch(part, now=ctx.clock.now(), session=session)
