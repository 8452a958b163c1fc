"""Service clients: the operator creates them, rotates their secrets, and ends them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import BaseModel

from services.identity.domain.service_clients import (
    SECRET_PREFIX,
    ClientScope,
    ClientStatus,
    ServiceClient,
    created,
    end_old_secret,
    hash_secret,
    rotate_secret,
    set_status,
)
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.ids import ClientId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import NotFound

SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class CreatedClient:
    """A service client and its new secret, which is given once."""

    client: ServiceClient
    secret: str


async def create_client(
    ctx: Ctx,
    caller: Caller,
    *,
    name: str,
    scopes: Sequence[ClientScope],
    account_ids: tuple[str, ...] | None,
    resource_types: tuple[str, ...] | None,
    guard: IdempotencyGuard | None,
    repeat_answer: Callable[[CreatedClient], BaseModel],
) -> WriteResult[CreatedClient]:
    """Create a service client; only the hash of its secret is kept.

    `repeat_answer` makes the answer of a repeat with the same idempotency key, without the secret.

    Raises:
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    client_id = ClientId(new_id("cli"))
    secret = _new_secret()

    async def change(write: JournalWrite) -> CreatedClient:
        client = ServiceClient(
            id=client_id,
            name=name,
            secret_hash=hash_secret(secret),
            scopes=tuple(dict.fromkeys(scopes)),
            account_ids=account_ids,
            resource_types=resource_types,
            created_at=write.now,
            secret_set_at=write.now,
            rev=write.rev,
        )
        await ctx.store.insert_client(client, write.session)
        write.record(created(client))
        made = CreatedClient(client=client, secret=secret)
        if guard is not None:
            await guard.keep_answer(write.session, repeat_answer(made))
        return made

    return await ctx.journal.write(
        client_id,
        change,
        caller=caller,
        effective_everywhere=True,
        guard=None if guard is None else guard.take_key,
    )


async def rotate(
    ctx: Ctx,
    caller: Caller,
    client_id: ClientId,
    *,
    keep_old: timedelta,
    guard: IdempotencyGuard | None,
    repeat_answer: Callable[[CreatedClient], BaseModel],
) -> WriteResult[CreatedClient]:
    """Give a client another secret; the former one is valid for `keep_old` more.

    Raises:
        NotFound: there is no such client.
        ClientDeleted: it was deleted.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    secret = _new_secret()

    async def change(write: JournalWrite) -> CreatedClient:
        client = await _client(ctx, write, client_id)
        rotated, fact = rotate_secret(client, hash_secret(secret), keep_old=keep_old, now=write.now)
        await ctx.store.update_client(client, rotated, write.session)
        write.record(fact)
        made = CreatedClient(client=rotated, secret=secret)
        if guard is not None:
            await guard.keep_answer(write.session, repeat_answer(made))
        return made

    return await ctx.journal.write(
        client_id,
        change,
        caller=caller,
        effective_everywhere=False,
        guard=None if guard is None else guard.take_key,
    )


async def end_former_secret(
    ctx: Ctx, caller: Caller, client_id: ClientId
) -> WriteResult[ServiceClient]:
    """End the secret before the last rotation now.

    Raises:
        NotFound: there is no such client.
        ClientDeleted: it was deleted.
    """

    async def change(write: JournalWrite) -> ServiceClient:
        client = await _client(ctx, write, client_id)
        ended, facts = end_old_secret(client, now=write.now)
        await ctx.store.update_client(client, ended, write.session)
        write.record(*facts)
        return ended

    return await ctx.journal.write(client_id, change, caller=caller, effective_everywhere=False)


async def change_status(
    ctx: Ctx, caller: Caller, client_id: ClientId, status: ClientStatus
) -> WriteResult[ServiceClient]:
    """Disable, enable or delete a client; no service accepts one that may not act.

    Raises:
        NotFound: there is no such client.
        ClientDeleted: it was deleted, and is asked to be anything else.
    """

    async def change(write: JournalWrite) -> ServiceClient:
        client = await _client(ctx, write, client_id)
        changed, facts = set_status(client, status, rev=write.rev)
        if facts:
            await ctx.store.update_client(client, changed, write.session)
        write.record(*facts)
        return changed

    return await ctx.journal.write(client_id, change, caller=caller, effective_everywhere=True)


async def all_clients(ctx: Ctx) -> list[ServiceClient]:
    """Every client, deleted ones too, in the order of their names."""
    return sorted(await ctx.store.clients(), key=lambda client: (client.name, client.id))


async def _client(ctx: Ctx, write: JournalWrite, client_id: ClientId) -> ServiceClient:
    client = await ctx.store.client(client_id, write.session)
    if client is None:
        raise NotFound
    return client


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
