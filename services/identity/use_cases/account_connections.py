"""Connections of an account: its admins make, prove, list and delete them."""

from services.identity.domain import account_connections
from services.identity.domain.account_connections import (
    MAX_CONNECTIONS,
    AccountConnection,
    DomainTaken,
    TooManyIssuers,
    new_challenge,
    parse_domain,
)
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.http.outbound import check_url
from shared.ids import AccountId, ConnectionId, UserId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere
from shared.names import parse_name
from shared.problems import Invalid, NotFound


async def create(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    *,
    user_id: UserId,
    label: str,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    domain: str,
) -> WriteResult[AccountConnection]:
    """Make a connection; nothing is asked of its issuer yet.

    Raises:
        Invalid: it names every field that is wrong.
        TooManyIssuers.
    """
    label, issuer, domain = _checked(ctx, label=label, issuer=issuer, domain=domain)
    connection_id = ConnectionId(new_id("sso"))
    sealed = None
    if client_secret is not None:
        sealed = ctx.sealed_secrets.seal(client_secret, about=connection_id)

    async def change(write: JournalWrite) -> AccountConnection:
        if len(await ctx.store.connections_of(account_id, write.session)) >= MAX_CONNECTIONS:
            raise TooManyIssuers
        made = AccountConnection(
            id=connection_id,
            account_id=account_id,
            label=label,
            issuer=issuer,
            client_id=client_id,
            sealed_secret=sealed,
            domain=domain,
            challenge=new_challenge(),
            created_by=user_id,
            created_at=write.now,
        )
        await ctx.store.insert_connection(made, write.session)
        write.record(account_connections.created(made))
        return made

    return await ctx.journal.write(account_id, change, caller=caller, effective_everywhere=False)


async def found_in(ctx: Ctx, account_id: AccountId, connection_id: str) -> AccountConnection:
    """Return a connection of the account.

    Raises:
        NotFound: the account has none with this id.
    """
    found = await ctx.store.account_connection(connection_id)
    if found is None or found.account_id != account_id:
        raise NotFound
    return found


async def prove(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, connection_id: str
) -> WriteResult[AccountConnection]:
    """Look the domain's text record up; with its value the issuer speaks for the domain.

    Raises:
        DomainNotProved, DomainTaken, DnsUnavailable, NotFound.
    """
    found = await found_in(ctx, account_id, connection_id)
    if any(found.domain in one.trusted_domains for one in ctx.settings.connections):
        raise DomainTaken
    texts = await ctx.texts.of(found.record)

    async def change(write: JournalWrite) -> AccountConnection:
        current = await ctx.store.account_connection(found.id, write.session)
        if current is None:
            raise NotFound
        proved, facts = account_connections.prove(current, texts, now=write.now)
        if facts:
            await ctx.store.save_proof(current, proved, write.session)
        write.record(*facts)
        return proved

    try:
        return await ctx.journal.write(
            account_id, change, caller=caller, effective_everywhere=False
        )
    except AlreadyThere as there:
        raise DomainTaken from there


async def delete(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, connection_id: str
) -> WriteResult[None]:
    """Delete a connection; no sign-in that it has begun can be finished.

    Raises:
        NotFound: the account has none with this id.
    """
    found = await found_in(ctx, account_id, connection_id)

    async def change(write: JournalWrite) -> None:
        current = await ctx.store.account_connection(found.id, write.session)
        if current is None:
            raise NotFound
        await ctx.store.delete_connection(current, write.session)
        write.record(account_connections.deleted(current))

    return await ctx.journal.write(account_id, change, caller=caller, effective_everywhere=False)


def _checked(ctx: Ctx, *, label: str, issuer: str, domain: str) -> tuple[str, str, str]:
    faults = []
    try:
        label = parse_name(label)
    except ValueError as problem:
        faults.append(("/label", str(problem)))
    try:
        check_url(issuer, networks=ctx.settings.sso_networks)
    except ValueError as problem:
        faults.append(("/issuer", str(problem)))
    try:
        domain = parse_domain(domain)
    except ValueError as problem:
        faults.append(("/domain", str(problem)))
    if faults:
        raise Invalid(errors=faults)
    return label, issuer, domain
