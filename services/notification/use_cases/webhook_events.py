"""Queue the deliveries that follow from a fact, and end the webhooks of an account that is gone."""

from services.notification.domain import webhooks
from services.notification.domain.deliveries import WebhookDelivery, delivery_id
from services.notification.domain.public_events import as_body, event_of
from services.notification.domain.webhooks import DisabledBecause, Webhook
from services.notification.use_cases.context import Ctx
from shared.contracts.facts import Row
from shared.contracts.notification_webhooks import WebhookCreated
from shared.contracts.topology import Service
from shared.ids import AccountId
from shared.inbox import AppliedMark, caller_for
from shared.journal import JournalWrite
from shared.mongo import DbSession, transact


async def queue_deliveries(ctx: Ctx, row: Row, session: DbSession) -> bool:
    """Queue the event of a fact for each webhook that wants it; whether there is one.

    It runs in the transaction of the fact's applied mark. So each webhook gets each event once.
    """
    event = event_of(row)
    if event is None:
        return False
    account_id, now = AccountId(row.account_id or ""), ctx.clock.now()
    wanting = [
        webhook
        for webhook in await ctx.webhooks.of_account(account_id, session)
        if webhook.wants(event["type"]) and not _is_its_own(row, webhook)
    ]
    for webhook in wanting:
        delivery = WebhookDelivery(
            id=delivery_id(row.id, webhook.id),
            webhook_id=webhook.id,
            account_id=account_id,
            event_id=row.id,
            event_type=event["type"],
            body=as_body(event),
            created_at=now,
            due_at=now,
        )
        await ctx.deliveries.add(delivery, session)
    return bool(wanting)


async def disable_webhooks(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Disable every webhook of a team that became a personal account (`Rp3`).

    Members who are gone may have made them or set their addresses. The owner enables again what
    they know. The event of the reversal itself goes nowhere.
    """
    account_id = AccountId(row.account_id or "")

    async def change(write: JournalWrite) -> None:
        await applied_mark(write.session)
        for webhook in await ctx.webhooks.of_account(account_id, write.session):
            if webhook.enabled:
                disabled, fact = webhooks.disable(webhook, DisabledBecause.REVERTED)
                await ctx.webhooks.update(webhook, disabled, write.session)
                write.record(fact)

    await ctx.journal.write(
        account_id,
        change,
        caller=caller_for(row, service=Service.NOTIFICATION),
        effective_everywhere=False,
    )


def _is_its_own(row: Row, webhook: Webhook) -> bool:
    """Whether the fact is that this webhook was created: its first event is a later one."""
    return row.type == WebhookCreated.type and row.resource.id == webhook.id


async def end_webhooks(ctx: Ctx, row: Row, applied_mark: AppliedMark) -> None:
    """Delete what the account has here, in one transaction with its mark.

    These are its webhooks and deliveries, and what members have switched off in it.
    """
    account_id = AccountId(row.account_id or "")

    async def change(session: DbSession) -> None:
        await applied_mark(session)
        for webhook in await ctx.webhooks.of_account(account_id, session):
            await ctx.webhooks.delete(webhook, session)
        await ctx.deliveries.delete_of_account(account_id, session)
        await ctx.preferences.forget_account(account_id, session)

    await transact(ctx.client, change)
