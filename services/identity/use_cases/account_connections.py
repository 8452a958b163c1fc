"""Connections of an account: its admins make, prove, list and delete them."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from pydantic import BaseModel

from services.identity.domain import account_connections
from services.identity.domain.account_connections import (
    MAX_CONNECTIONS,
    AccountConnection,
    ConnectionChange,
    ConnectionManagers,
    TooManyIssuers,
    new_challenge,
    parse_domain,
)
from services.identity.domain.sso_sign_in import redirect_uri_of
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.joining import checked_managers, managers_of
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.http.outbound import check_url
from shared.http.preconditions import Precondition
from shared.ids import AccountId, ConnectionId, UserId, new_id
from shared.journal import Guard, JournalWrite, WriteResult
from shared.names import parse_name
from shared.problems import Invalid, NotFound, Unavailable

ROUNDS = 4
"""How often a change is tried, while others change what it gives."""


@dataclass(frozen=True, kw_only=True)
class ShownConnection:
    """A connection, with the addresses that are to be registered at its issuer."""

    row: AccountConnection
    redirect_uris: tuple[str, ...]


def shown(ctx: Ctx, row: AccountConnection) -> ShownConnection:
    """Return the connection as the API shows it."""
    pages = ctx.settings.sign_in_pages
    uris = tuple(redirect_uri_of(page, row.id) for page in pages)
    return ShownConnection(row=row, redirect_uris=uris)


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
    join_role: str | None,
    guard: IdempotencyGuard | None,
    repeat_answer: Callable[[ShownConnection], BaseModel],
) -> WriteResult[ShownConnection]:
    """Make a connection; nothing is asked of its issuer yet.

    Raises:
        Invalid: it names every field that is wrong.
        TooManyIssuers.
        JoinsNoTeam, JoinRoleUnknown, JoinRoleNotHeld, JoinRoleOutlasts, PermissionMissing: the rule
            may not be set.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    label, issuer, domain = _checked(ctx, label=label, issuer=issuer, domain=domain)
    told = await checked_managers(ctx, account_id, user_id, role=join_role)
    connection_id = ConnectionId(new_id("sso"))
    sealed = None
    if client_secret is not None:
        sealed = ctx.sealed_secrets.seal(client_secret, about=connection_id)

    async def change(write: JournalWrite) -> ShownConnection:
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
            join_role=join_role,
            rule_set_by=None if join_role is None else user_id,
        )
        await ctx.store.insert_connection(made, write.session)
        write.record(account_connections.created(made, told))
        if guard is not None:
            await guard.keep_answer(write.session, repeat_answer(shown(ctx, made)))
        return shown(ctx, made)

    return await ctx.journal.write(
        account_id,
        change,
        caller=caller,
        effective_everywhere=False,
        guard=None if guard is None else guard.take_key,
    )


async def found_in(ctx: Ctx, account_id: AccountId, connection_id: str) -> AccountConnection:
    """Return a connection of the account.

    Raises:
        NotFound: the account has none with this id.
    """
    found = await ctx.store.account_connection(connection_id)
    if found is None or found.account_id != account_id:
        raise NotFound
    return found


async def change(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    *,
    user_id: UserId,
    connection_id: str,
    wanted: ConnectionChange,
    client_secret: str | None,
    precondition: Precondition | None,
) -> WriteResult[ShownConnection]:
    """Change a connection. With another issuer its domain has to be proved again.

    Raises:
        Invalid: it names every field that is wrong; the secret is one if it would stay for another
            issuer.
        PreconditionFailed: the connection is not in the state that the request was made for.
        JoinsNoTeam, JoinRoleUnknown, JoinRoleNotHeld, JoinRoleOutlasts, PermissionMissing: the
            member may not give what the rule gives after the change.
        NotFound, Unavailable.
    """
    found = await found_in(ctx, account_id, connection_id)
    label, issuer, _ = _checked(
        ctx,
        label=wanted.label or found.label,
        issuer=wanted.issuer or found.issuer,
        domain=found.domain,
    )
    sealed = None
    if client_secret is not None:
        sealed = ctx.sealed_secrets.seal(client_secret, about=found.id)
    wanted = replace(wanted, label=label, issuer=issuer, sealed_secret=sealed)
    for _ in range(ROUNDS):
        with contextlib.suppress(_RoleNotCheckedError):
            return await _change(
                ctx, caller, found, wanted, user_id=user_id, precondition=precondition
            )
    raise Unavailable


class _RoleNotCheckedError(Exception):
    """Another change came between: what this one gives was not checked."""


async def _change(
    ctx: Ctx,
    caller: Caller,
    found: AccountConnection,
    wanted: ConnectionChange,
    *,
    user_id: UserId,
    precondition: Precondition | None,
) -> WriteResult[ShownConnection]:
    now = await found_in(ctx, found.account_id, found.id)
    role = account_connections.given_role(now, wanted)
    told = await checked_managers(ctx, found.account_id, user_id, role=role)

    async def apply(write: JournalWrite) -> ShownConnection:
        current = await ctx.store.account_connection(found.id, write.session)
        if current is None:
            raise NotFound
        if account_connections.given_role(current, wanted) != role:
            raise _RoleNotCheckedError
        changed, fact = account_connections.change(current, wanted, by=user_id, told=told)
        if precondition is not None:
            precondition.require(shown(ctx, current), applied=fact is None)
        if fact is not None:
            await ctx.store.update_connection(current, changed, write.session)
            write.record(fact)
        return shown(ctx, changed)

    return await ctx.journal.write(
        found.account_id, apply, caller=caller, effective_everywhere=False
    )


async def delete(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, connection_id: str
) -> WriteResult[None]:
    """Delete a connection; no sign-in that it has begun can be finished.

    It is deleted also while team is away. Then its end is in the audit log, and no mail tells it.

    Raises:
        NotFound: the account has none with this id.
    """
    found = await found_in(ctx, account_id, connection_id)
    told = await managers_of(ctx, account_id)

    async def change(write: JournalWrite) -> None:
        current = await ctx.store.account_connection(found.id, write.session)
        if current is None:
            raise NotFound
        await ctx.store.delete_connection(current, write.session)
        write.record(account_connections.deleted(current, told))

    return await ctx.journal.write(account_id, change, caller=caller, effective_everywhere=False)


async def delete_of_account(
    ctx: Ctx, caller: Caller, account_id: AccountId, *, guard: Guard
) -> None:
    """Delete the connections of an account that is gone, and free their domains."""

    async def change(write: JournalWrite) -> None:
        for one in await ctx.store.connections_of(account_id, write.session):
            await ctx.store.delete_connection(one, write.session)
            write.record(account_connections.deleted(one, ConnectionManagers()))

    await ctx.journal.write(
        account_id, change, caller=caller, effective_everywhere=False, guard=guard
    )


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
