"""Deliver checkpoints once a day to the accounts that wish it: by webhooks, and by mail.

The fact of a delivery has the signed note. Notification sends it on, as other facts.
"""

import asyncio
import logging
from functools import partial

from services.audit.domain.checkpoint_delivery import CheckpointDelivery, day_of
from services.audit.store.trees import StoredCheckpoint
from services.audit.use_cases.context import Ctx
from services.audit.use_cases.member_writes import write_named
from shared.contracts.audit import CheckpointDeliveryChanged, CheckpointPublished
from shared.contracts.calls.connections import (
    CONNECTION_ACCOUNT,
    ConnectionAccount,
    ConnectionAccountRequest,
)
from shared.contracts.facts import Caller, Fact, ResourceRef, service_caller
from shared.contracts.topology import Service
from shared.elections import Election
from shared.journal import JournalWrite, WriteResult
from shared.mongo import AlreadyThere, DatabaseWatch, DbSession
from shared.problems import Unavailable

DELIVERY_SECONDS = 30.0
"""The pause between two rounds."""
AT_ONCE = 50
"""The accounts of one round."""

_log = logging.getLogger(__name__)


async def change_delivery(
    ctx: Ctx, caller: Caller, account_id: str, *, daily: bool
) -> WriteResult[CheckpointDelivery]:
    """Begin or end the daily delivery of an account's checkpoints."""

    async def change(write: JournalWrite) -> CheckpointDelivery:
        before = await ctx.store.checkpoint_delivery(account_id, write.session)
        if before.daily != daily:
            await ctx.store.set_checkpoint_delivery(account_id, daily=daily, session=write.session)
            write.record(
                Fact(
                    payload=CheckpointDeliveryChanged(daily=daily),
                    resource=ResourceRef(type="audit_log", id=account_id),
                    account_id=account_id,
                    before={"daily": before.daily},
                    after={"daily": daily},
                )
            )
        return await ctx.store.checkpoint_delivery(account_id, write.session)

    return await write_named(ctx, account_id, change, caller=caller)


async def deliver_checkpoints(ctx: Ctx) -> None:
    """Deliver the newest checkpoint of each account that is due for it.

    Raises:
        Unavailable: team or the database could not be asked.
    """
    today = day_of(ctx.clock.now())
    for delivery in await ctx.store.due_deliveries(today, limit=AT_ONCE):
        newest = await ctx.store.checkpoint(delivery.account_id)
        if newest is None:
            continue
        request = ConnectionAccountRequest(account_id=delivery.account_id, managers=True)
        told = await ctx.internal.call(CONNECTION_ACCOUNT, Service.TEAM, request)
        try:
            await ctx.journal.write(
                delivery.account_id,
                partial(_publish, ctx, delivery, newest, told),
                caller=service_caller(Service.AUDIT),
                effective_everywhere=False,
                guard=partial(_note, ctx, delivery, today),
            )
        except AlreadyThere:
            _log.debug("Another replica has delivered this checkpoint.")


async def _note(ctx: Ctx, delivery: CheckpointDelivery, day: str, session: DbSession) -> None:
    await ctx.store.note_delivery(delivery, day, session)


async def _publish(
    ctx: Ctx,
    delivery: CheckpointDelivery,
    newest: StoredCheckpoint,
    told: ConnectionAccount,
    write: JournalWrite,
) -> None:
    if not told.open:
        return
    tree = delivery.account_id
    write.record(
        Fact(
            payload=CheckpointPublished(
                account_name=told.account_name,
                origin=ctx.signer.origin(tree),
                size=newest.size,
                checkpoint=newest.note,
                verifier=str(ctx.signer.verifier_keys(tree)[0]),
                manager_emails=told.manager_emails,
            ),
            resource=ResourceRef(type="audit_log", id=tree),
            account_id=tree,
        )
    )


async def run_checkpoint_delivery(ctx: Ctx, office: Election) -> None:
    """Deliver what is due while this process is elected. Never ends."""
    database = DatabaseWatch("Checkpoints are not delivered.", transactions=True)
    while True:
        await asyncio.sleep(DELIVERY_SECONDS)
        with database.round():
            if await office.won():
                try:
                    await deliver_checkpoints(ctx)
                except Unavailable:
                    _log.info("Checkpoints are delivered later: team or the database is away.")
