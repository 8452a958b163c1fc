"""The routes of webhooks."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from services.notification.domain.webhooks import (
    DEFAULT_OVERLAP,
    MAX_OVERLAP,
    DisabledBecause,
    TooManyWebhooks,
    Webhook,
    WebhookChange,
)
from services.notification.use_cases import webhooks
from services.notification.use_cases.context import Ctx
from services.notification.use_cases.webhooks import ShownSecret
from shared.catalog_parts import NotInThisCatalog
from shared.http.access import Permission
from shared.http.entity_tags import TaggedAnswer
from shared.http.outbound import MAX_URL_LENGTH
from shared.http.paging import Page, PageQuery, paged
from shared.http.routes import Body, Call, Reply, Route
from shared.ids import AccountId, UserId, WebhookId
from shared.names import parse_line

MANAGE = Permission("webhook:manage")
PATH = "/v1/accounts/{account_id}/webhooks"

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        examples=["https://hooks.acme.example/rolecall"],
    ),
]
EventType = Annotated[
    str, Field(pattern=r"^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$", max_length=100)
]
EventTypes = Annotated[
    tuple[EventType, ...],
    Field(min_length=1, max_length=100, examples=[["member.*", "invitation.accepted"]]),
]
Description = Annotated[
    str, Field(max_length=500, examples=["Keeps the directory"]), AfterValidator(parse_line)
]


class NewWebhook(Body):
    """An address, and the events that go there: types, nouns with `.*`, or `*` for all."""

    url: Url
    event_types: EventTypes = ("*",)
    description: Description = ""


class ChangeWebhook(Body):
    """What changes; a member that is left out stays as it is."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    enabled: bool | None = None


class RotateSecret(Body):
    """For how long the former secret signs beside the new one."""

    overlap_seconds: int = Field(
        int(DEFAULT_OVERLAP.total_seconds()), ge=0, le=int(MAX_OVERLAP.total_seconds())
    )


class WebhookView(TaggedAnswer):
    """A webhook.

    `disabled_because` is `member`, `gone` (it answered 410), `failing`, or `reverted` (the team was
    made a personal account).
    """

    beside_the_state: ClassVar[frozenset[str]] = frozenset({"failing_since"})
    awaited = beside_the_state

    id: WebhookId
    account_id: AccountId
    url: str
    event_types: tuple[str, ...]
    description: str
    enabled: bool
    disabled_because: DisabledBecause | None
    created_by: UserId
    created_at: datetime
    secret_at: datetime
    """When the secret was made."""
    previous_secret_until: datetime | None
    """Until when the former secret signs, too."""
    failing_since: datetime | None
    """Since when no request succeeded."""

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Return the webhook as the API shows it."""
        return cls.model_validate(_shown(webhook))


class WebhookWithSecret(WebhookView):
    """A webhook with its new secret, which is shown only here.

    A repeated request with the same idempotency key has `secret: null` and `note: "shown-once"`.
    """

    beside_the_state: ClassVar[frozenset[str]] = frozenset({"failing_since", "secret", "note"})

    secret: str | None
    note: Literal["shown-once"] | None = None

    @classmethod
    def made(cls, made: ShownSecret) -> Self:
        """Return the webhook with its secret."""
        return cls.model_validate({**_shown(made.webhook), "secret": made.secret})

    @classmethod
    def made_before(cls, made: ShownSecret) -> Self:
        """Return the answer of a repeated request, which shows no secret."""
        return cls.model_validate({**_shown(made.webhook), "secret": None, "note": "shown-once"})


def _shown(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "account_id": webhook.account_id,
        "url": webhook.url,
        "event_types": webhook.event_types,
        "description": webhook.description,
        "enabled": webhook.enabled,
        "disabled_because": webhook.disabled,
        "created_by": webhook.created_by,
        "created_at": webhook.created_at,
        "secret_at": webhook.secret_at,
        "previous_secret_until": webhook.previous_until,
        "failing_since": webhook.failing_since,
    }


def webhook_id(call: Call[Any, Any]) -> WebhookId:
    """Return the webhook that the path names."""
    return WebhookId(call.path["webhook_id"])


async def list_webhooks(ctx: Ctx, call: Call[None, PageQuery]) -> Page[WebhookView]:
    """List the webhooks of the account."""
    found = await ctx.webhooks.of_account(call.account_id)
    page, following = paged(found, call, key=lambda webhook: (webhook.id, ""))
    return Page[WebhookView](items=list(map(WebhookView.of, page)), next_cursor=following)


async def create(ctx: Ctx, call: Call[NewWebhook, None]) -> Reply:
    """Create a webhook."""
    body = call.body
    made = await webhooks.create(
        ctx,
        call.caller,
        call.account_id,
        user_id=call.member.user_id,
        url=body.url,
        event_types=body.event_types,
        description=body.description,
        guard=call.guard,
        repeat_answer=WebhookWithSecret.made_before,
    )
    return Reply(body=WebhookWithSecret.made(made.result))


async def get(ctx: Ctx, call: Call[None, None]) -> WebhookView:
    """Return a webhook."""
    return WebhookView.of(await webhooks.get(ctx, call.account_id, webhook_id(call)))


async def change(ctx: Ctx, call: Call[ChangeWebhook, None]) -> WebhookView:
    """Change a webhook."""
    changed = await webhooks.change(
        ctx,
        call.caller,
        call.account_id,
        webhook_id(call),
        wanted=WebhookChange(**call.body.model_dump()),
        precondition=call.precondition,
    )
    return WebhookView.of(changed.result)


async def rotate(ctx: Ctx, call: Call[RotateSecret, None]) -> WebhookWithSecret:
    """Give a webhook a new secret."""
    made = await webhooks.rotate(
        ctx,
        call.caller,
        call.account_id,
        webhook_id(call),
        overlap=timedelta(seconds=call.body.overlap_seconds),
        guard=call.guard,
        repeat_answer=WebhookWithSecret.made_before,
    )
    return WebhookWithSecret.made(made.result)


async def delete(ctx: Ctx, call: Call[None, None]) -> None:
    """Delete a webhook."""
    await webhooks.delete(
        ctx, call.caller, call.account_id, webhook_id(call), precondition=call.precondition
    )


ROUTES = (
    Route(
        method="GET",
        path=PATH,
        handler=list_webhooks,
        operation_id="listWebhooks",
        summary="List the account's webhooks, the oldest first",
        tag="webhooks",
        access=MANAGE,
        query=PageQuery,
        gives=Page[WebhookView],
        refuses=(NotInThisCatalog,),
    ),
    Route(
        method="POST",
        path=PATH,
        handler=create,
        operation_id="createWebhook",
        summary="Create a webhook, whose secret is shown once",
        tag="webhooks",
        access=MANAGE,
        takes=NewWebhook,
        gives=WebhookWithSecret,
        status=201,
        refuses=(NotInThisCatalog, TooManyWebhooks),
        idempotent=True,
    ),
    Route(
        method="GET",
        path=f"{PATH}/{{webhook_id}}",
        handler=get,
        operation_id="getWebhook",
        summary="Read a webhook",
        tag="webhooks",
        access=MANAGE,
        gives=WebhookView,
        refuses=(NotInThisCatalog,),
        represent=WebhookView.of,
    ),
    Route(
        method="PATCH",
        path=f"{PATH}/{{webhook_id}}",
        handler=change,
        operation_id="changeWebhook",
        summary="Change a webhook, or turn it on or off",
        tag="webhooks",
        access=MANAGE,
        takes=ChangeWebhook,
        gives=WebhookView,
        refuses=(NotInThisCatalog,),
        represent=WebhookView.of,
    ),
    Route(
        method="DELETE",
        path=f"{PATH}/{{webhook_id}}",
        handler=delete,
        operation_id="deleteWebhook",
        summary="Delete a webhook: nothing is sent to it any more",
        tag="webhooks",
        access=MANAGE,
        refuses=(NotInThisCatalog,),
        represent=WebhookView.of,
    ),
    Route(
        method="POST",
        path=f"{PATH}/{{webhook_id}}/rotate-secret",
        handler=rotate,
        operation_id="rotateWebhookSecret",
        summary="Give a webhook a new secret; the former one signs, too, until the overlap ends",
        tag="webhooks",
        access=MANAGE,
        takes=RotateSecret,
        gives=WebhookWithSecret,
        refuses=(NotInThisCatalog,),
        idempotent=True,
    ),
)
