"""Signing keys: they are made, take each other's places, and are revoked; replicas follow."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from services.identity.domain.signing_keys import (
    KeyState,
    SealedKey,
    created,
    is_due,
    move,
    revocation,
    rotation,
    wanted_state,
)
from services.identity.use_cases.context import Ctx
from shared.contracts.facts import Caller, service_caller
from shared.contracts.topology import Service
from shared.ids import KeyId
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere, DatabaseWatch

JOURNAL_KEY = "signing_keys"
"""All changes of keys are in one shard of the journal, and so one after the other."""

Changes = Callable[[Sequence[SealedKey], datetime], list[tuple[SealedKey, KeyState]]]
"""Says which keys change, from the keys as they are and the time."""


async def open_keyring(ctx: Ctx) -> None:
    """Fill the keyring; the first start makes the first keys, and replicas agree on them.

    Raises:
        UnsealError: a stored key was sealed with another sealing key.
    """
    if wanted_state(await ctx.store.signing_keys()) is not None:
        await _change(ctx, _nothing)
    await follow_keys(ctx)


async def keep_keys(ctx: Ctx) -> None:
    """Follow the keys of the database, and rotate them when they are due. Never ends."""
    pause = ctx.timeouts.key_poll
    database = DatabaseWatch("Signing keys are not followed.", transactions=True)
    while True:
        await asyncio.sleep(pause)
        with database.round():
            await rotate_if_due(ctx, await follow_keys(ctx))


async def follow_keys(ctx: Ctx) -> list[SealedKey]:
    """Take the keys of the database into the keyring, and return them."""
    keys = await ctx.store.signing_keys()
    ctx.keyring.fill(keys, now=ctx.clock.now())
    return keys


async def rotate_if_due(ctx: Ctx, keys: Sequence[SealedKey]) -> None:
    """Rotate the keys when the active one has its age; one replica does it."""

    def due(keys: Sequence[SealedKey], now: datetime) -> list[tuple[SealedKey, KeyState]]:
        age, lead = timedelta(days=ctx.settings.signing_key_days), _lead(ctx)
        if not is_due(keys, now=now, age=age, lead=lead):
            return []
        return rotation(keys, now=now, lead=lead)

    if wanted_state(keys) is not None or due(keys, ctx.clock.now()):
        await _change(ctx, due)


async def rotate(ctx: Ctx, caller: Caller) -> WriteResult[list[SealedKey]]:
    """Let the next key sign, and make another next one; return the keys.

    Raises:
        KeyTooYoung: a verifier may not know the next key yet.
    """
    return await _change(
        ctx, lambda keys, now: rotation(keys, now=now, lead=_lead(ctx)), caller=caller
    )


async def revoke(ctx: Ctx, caller: Caller, kid: KeyId | None) -> WriteResult[list[SealedKey]]:
    """Refuse a compromised key everywhere, or all of them; return the keys.

    Its tokens are refused with 401: their users refresh, and services ask for another token.

    Raises:
        KeyUnknown: there is no such key.
    """
    return await _change(
        ctx, lambda keys, _: revocation(keys, kid), caller=caller, effective_everywhere=True
    )


async def _change(
    ctx: Ctx,
    changes: Changes,
    *,
    caller: Caller | None = None,
    effective_everywhere: bool = False,
) -> WriteResult[list[SealedKey]]:
    """Change keys in one transaction, and make those that are missing afterwards."""

    async def change(write: JournalWrite) -> list[SealedKey]:
        keys = {key.id: key for key in await ctx.store.signing_keys(write.session)}
        for key, state in changes(list(keys.values()), write.now):
            moved, fact = move(key, state, now=write.now, rev=write.rev)
            await ctx.store.update_signing_key(key, moved, write.session)
            write.record(fact)
            keys[key.id] = moved
        while (missing := wanted_state(keys.values())) is not None:
            number = max((key.number for key in keys.values()), default=0) + 1
            made = ctx.keyring.make(number=number, state=missing, now=write.now)
            await ctx.store.insert_signing_key(made, write.session)
            write.record(created(made))
            keys[made.id] = made
        return list(keys.values())

    while True:
        with contextlib.suppress(AlreadyThere):  # another replica has made the same key: look again
            written = await ctx.journal.write(
                JOURNAL_KEY,
                change,
                caller=caller or service_caller(Service.IDENTITY),
                effective_everywhere=effective_everywhere,
            )
            await follow_keys(ctx)
            return written


def _nothing(keys: Sequence[SealedKey], now: datetime) -> list[tuple[SealedKey, KeyState]]:
    return []


def _lead(ctx: Ctx) -> timedelta:
    return timedelta(seconds=ctx.settings.signing_key_lead_seconds)
