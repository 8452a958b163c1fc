"""Webhooks of an account: create, change, rotate the secret, delete."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel

from services.notification.domain import webhooks
from services.notification.domain.public_events import EVENT_TYPES
from services.notification.domain.webhook_secrets import key_id, new_salt, secret_of
from services.notification.domain.webhooks import (
    MAX_WEBHOOKS,
    TooManyWebhooks,
    Webhook,
    WebhookChange,
    check_event_types,
)
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.named_callers import named
from shared.contracts.facts import Caller
from shared.http.idempotency import IdempotencyGuard
from shared.http.preconditions import Precondition
from shared.ids import AccountId, UserId, WebhookId, new_id
from shared.journal import JournalWrite, WriteResult
from shared.problems import Invalid, NotFound
from shared.receivers.addresses import check_receiver_url

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ShownSecret:
    """A webhook, with its new secret."""

    webhook: Webhook
    secret: str


RepeatAnswer = Callable[[ShownSecret], BaseModel]


async def create(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    *,
    user_id: UserId,
    url: str,
    event_types: tuple[str, ...],
    description: str,
    guard: IdempotencyGuard | None,
    repeat_answer: RepeatAnswer,
) -> WriteResult[ShownSecret]:
    """Create a webhook; events that happen from then on go to its address.

    Raises:
        Invalid: it names every field that is wrong.
        TooManyWebhooks.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """
    wanted = _checked(ctx, WebhookChange(url=url, event_types=event_types))
    webhook_id = WebhookId(new_id("whk"))

    async def change(write: JournalWrite) -> ShownSecret:
        if len(await ctx.webhooks.of_account(account_id, write.session)) >= MAX_WEBHOOKS:
            raise TooManyWebhooks(limit=MAX_WEBHOOKS)
        webhook = Webhook(
            id=webhook_id,
            account_id=account_id,
            url=url,
            event_types=wanted.event_types or (),
            description=description,
            created_by=user_id,
            created_at=write.now,
            salt=new_salt(),
            secret_at=write.now,
            secret_key_id=key_id(ctx.webhook_key),
        )
        await ctx.webhooks.insert(webhook, write.session)
        write.record(webhooks.created(webhook))
        return await _keep(_with_secret(ctx, webhook), write, guard, repeat_answer)

    return await _write(ctx, caller, account_id, change, guard)


async def get(ctx: Ctx, account_id: AccountId, webhook_id: WebhookId) -> Webhook:
    """Return a webhook of the account.

    Raises:
        NotFound: the account has none with this id.
    """
    return _there(await ctx.webhooks.find(account_id, webhook_id))


async def change(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    webhook_id: WebhookId,
    *,
    wanted: WebhookChange,
    precondition: Precondition | None,
) -> WriteResult[Webhook]:
    """Change a webhook. Deliveries that wait go to the new address.

    Raises:
        Invalid: it names every field that is wrong.
        PreconditionFailed: the webhook is not in the state that the request was made for.
        NotFound.
    """
    wanted = _checked(ctx, wanted)

    async def apply(write: JournalWrite) -> Webhook:
        current = _there(await ctx.webhooks.find(account_id, webhook_id, write.session))
        changed, fact = webhooks.change(current, wanted)
        if precondition is not None:
            precondition.require(current, applied=fact is None)
        if fact is not None:
            await ctx.webhooks.update(current, changed, write.session)
            write.record(fact)
        return changed

    return await _write(ctx, caller, account_id, apply, None)


async def rotate(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    webhook_id: WebhookId,
    *,
    overlap: timedelta,
    guard: IdempotencyGuard | None,
    repeat_answer: RepeatAnswer,
) -> WriteResult[ShownSecret]:
    """Give a webhook a new secret; the former one signs beside it for a while.

    Raises:
        NotFound: the account has none with this id.
        RepeatedRequest: the request's idempotency key was used; `Api` answers.
    """

    async def change(write: JournalWrite) -> ShownSecret:
        current = _there(await ctx.webhooks.find(account_id, webhook_id, write.session))
        rotated, fact = webhooks.rotate(
            current, key_id=key_id(ctx.webhook_key), overlap=overlap, now=write.now
        )
        await ctx.webhooks.update(current, rotated, write.session)
        write.record(fact)
        return await _keep(_with_secret(ctx, rotated), write, guard, repeat_answer)

    return await _write(ctx, caller, account_id, change, guard)


async def delete(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    webhook_id: WebhookId,
    *,
    precondition: Precondition | None,
) -> WriteResult[None]:
    """Delete a webhook; what waits for it is not sent.

    Raises:
        NotFound: the account has none with this id.
        PreconditionFailed: the webhook is not in the state that the request was made for.
    """

    async def change(write: JournalWrite) -> None:
        current = _there(await ctx.webhooks.find(account_id, webhook_id, write.session))
        if precondition is not None:
            precondition.require(current)
        await ctx.webhooks.delete(current, write.session)
        write.record(webhooks.deleted(current))

    return await _write(ctx, caller, account_id, change, None)


async def _write(
    ctx: Ctx,
    caller: Caller,
    account_id: AccountId,
    change: Callable[[JournalWrite], Awaitable[T]],
    guard: IdempotencyGuard | None,
) -> WriteResult[T]:
    return await ctx.journal.write(
        account_id,
        change,
        caller=await named(ctx, caller),
        effective_everywhere=False,
        guard=None if guard is None else guard.take_key,
    )


async def _keep(
    made: ShownSecret,
    write: JournalWrite,
    guard: IdempotencyGuard | None,
    repeat_answer: RepeatAnswer,
) -> ShownSecret:
    if guard is not None:
        await guard.keep_answer(write.session, repeat_answer(made))
    return made


def _with_secret(ctx: Ctx, webhook: Webhook) -> ShownSecret:
    secret = secret_of(ctx.webhook_key, webhook.id, webhook.salt)
    return ShownSecret(webhook=webhook, secret=secret)


def _there(found: Webhook | None) -> Webhook:
    if found is None:
        raise NotFound
    return found


def _checked(ctx: Ctx, wanted: WebhookChange) -> WebhookChange:
    """Return the change with each filter once."""
    faults, event_types = [], wanted.event_types
    if wanted.url is not None:
        try:
            check_receiver_url(wanted.url, networks=ctx.webhook_networks)
        except ValueError as problem:
            faults.append(("/url", str(problem)))
    if event_types is not None:
        try:
            event_types = check_event_types(event_types, EVENT_TYPES)
        except ValueError as problem:
            faults.append(("/event_types", str(problem)))
    if faults:
        raise Invalid(errors=faults)
    return replace(wanted, event_types=event_types)
