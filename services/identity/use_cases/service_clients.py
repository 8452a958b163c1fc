"""Service clients: the operator creates them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from services.identity.domain.service_clients import (
    SECRET_PREFIX,
    ClientScope,
    ServiceClient,
    created,
    hash_secret,
)
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.ids import ClientId, new_id
from shared.journal import JournalWrite, WriteResult

SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class CreatedClient:
    """A new service client and its secret, which is given once."""

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
    secret = SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)

    async def change(write: JournalWrite) -> CreatedClient:
        client = ServiceClient(
            id=client_id,
            name=name,
            secret_hash=hash_secret(secret),
            scopes=tuple(dict.fromkeys(scopes)),
            account_ids=account_ids,
            resource_types=resource_types,
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
