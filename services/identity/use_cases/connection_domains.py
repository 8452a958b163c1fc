"""The domain of a connection: its proof, and its loss to another one."""

from services.identity.domain import account_connections
from services.identity.domain.account_connections import AccountConnection, DomainTaken
from services.identity.use_cases.account_connections import ShownConnection, found_in, shown
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.joining import checked_managers, managers_of
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.contracts.topology import Service
from shared.ids import AccountId, UserId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.problems import NotFound


async def prove(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, user_id: UserId, connection_id: str
) -> WriteResult[ShownConnection]:
    """Look the domain's text record up; with its value the issuer speaks for the domain.

    A connection that has proved the domain, and whose value is gone from the record, loses it: the
    domain has another owner now.

    Raises:
        DomainNotProved, DomainTaken, DnsUnavailable, NotFound.
    """
    found = await found_in(ctx, account_id, connection_id)
    if any(found.domain in one.trusted_domains for one in ctx.settings.connections):
        raise DomainTaken
    texts = await ctx.texts.of(found.record)
    told = await checked_managers(ctx, account_id, user_id, role=None)

    async def change(write: JournalWrite) -> ShownConnection:
        current = await ctx.store.account_connection(found.id, write.session)
        if current is None:
            raise NotFound
        proved, facts = account_connections.prove(current, texts, told=told, now=write.now)
        if facts:
            await ctx.store.save_proof(current, proved, write.session)
        write.record(*facts)
        return shown(ctx, proved)

    async def save() -> WriteResult[ShownConnection]:
        return await ctx.journal.write(
            account_id, change, caller=caller, effective_everywhere=False
        )

    try:
        return await save()
    except AlreadyThere:
        await _take_from_holder(ctx, caller, found, texts)
    try:
        return await save()
    except AlreadyThere as there:
        raise DomainTaken from there


async def _take_from_holder(
    ctx: Ctx, caller: Caller, wanting: AccountConnection, texts: frozenset[str]
) -> None:
    """End the proof of the connection that has the domain, if the record names it no more.

    The other account learns nothing of the caller.
    """
    holder = await ctx.store.connection_of_domain(wanting.domain)
    if holder is None or holder.challenge in texts:
        return
    told = await managers_of(ctx, holder.account_id)

    async def change(write: JournalWrite) -> None:
        current = await ctx.store.account_connection(holder.id, write.session)
        if current is None or current.proved_at is None:
            return
        lost, fact = account_connections.lose_domain(current, told)
        await ctx.store.update_connection(current, lost, write.session)
        write.record(fact)

    actor = Actor(type="service", id=Service.IDENTITY)
    request = RequestInfo(request_id=caller.request.request_id)
    await ctx.journal.write(
        holder.account_id,
        change,
        caller=Caller(actor=actor, request=request),
        effective_everywhere=False,
    )
