"""Signing keys: the keyring is opened at the start of the process."""

import contextlib

from services.identity.adapters.keyring import seal
from services.identity.domain.signing_keys import created
from services.identity.use_cases.context import Ctx
from shared.auth.keys import generate_key
from shared.contracts.facts import service_caller
from shared.contracts.topology import Service
from shared.ids import KeyId, new_id
from shared.journal import JournalWrite
from shared.mongo import AlreadyThere


async def open_keyring(ctx: Ctx, sealing_key: bytes) -> None:
    """Fill the keyring; the first start creates the first key, and replicas agree on one.

    Raises:
        UnsealError: the stored key was sealed with another sealing key.
    """
    if not await ctx.store.signing_keys():
        kid = KeyId(new_id("key"))
        key = seal(generate_key(), kid=kid, number=1, sealing_key=sealing_key, now=ctx.clock.now())

        async def change(write: JournalWrite) -> None:
            await ctx.store.insert_signing_key(key, write.session)
            write.record(created(key))

        with contextlib.suppress(AlreadyThere):
            await ctx.journal.write(
                kid, change, caller=service_caller(Service.IDENTITY), effective_everywhere=False
            )
    ctx.keyring.fill(await ctx.store.signing_keys(), sealing_key)
