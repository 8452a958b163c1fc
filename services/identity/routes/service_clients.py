"""The operator's routes of service clients."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from services.identity.domain.service_clients import (
    ClientDeleted,
    ClientScope,
    ClientStatus,
    ServiceClient,
)
from services.identity.routes.fields import AccountIdText
from services.identity.use_cases import service_clients
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.service_clients import CreatedClient, create_client
from shared.http.access import Admin
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.ids import ClientId
from shared.journal import WriteResult

_PLACE = "/internal/admin/service-clients"
MAX_KEPT_SECONDS = 30 * 24 * 3600


def _visible(name: str) -> str:
    if not any(each.isprintable() and not each.isspace() for each in name):
        raise ValueError("A name needs at least one visible character.")
    return name


class NewClient(Body):
    """A new service client; `null` means every account or every resource type.

    Its access tokens name its accounts and types: at the limits below they fit into the 8 KB of a
    token.
    """

    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_visible)]
    scopes: Annotated[tuple[ClientScope, ...], Field(min_length=1, max_length=len(ClientScope))]
    account_ids: Annotated[tuple[AccountIdText, ...], Field(max_length=100)] | None = None
    resource_types: (
        Annotated[
            tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")], ...],
            Field(max_length=20),
        ]
        | None
    ) = None


class ClientAnswer(Answer):
    """A new service client; the secret is shown only here.

    A repeated request with the same idempotency key has `secret: null` and `note: "shown-once"`.
    """

    id: str
    secret: str | None
    note: Literal["shown-once"] | None = None


class Rotation(Body):
    """How many seconds the former secret is valid beside the new one; 0 ends it at once."""

    keep_old_seconds: Annotated[int, Field(ge=0, le=MAX_KEPT_SECONDS)] = 0


class RotatedSecret(ClientAnswer):
    """The new secret, shown only here, and until when the former one is valid."""

    old_secret_until: datetime | None


class ClientView(Answer):
    """A service client as the operator sees it; `null` means every account or every type."""

    id: str
    name: str
    status: ClientStatus
    scopes: tuple[str, ...]
    account_ids: tuple[str, ...] | None
    resource_types: tuple[str, ...] | None
    created_at: datetime | None
    """Unknown of clients of earlier versions."""
    secret_set_at: datetime | None
    old_secret_until: datetime | None
    """Until when the secret before the last rotation is valid."""

    @classmethod
    def of(cls, client: ServiceClient, *, now: datetime) -> Self:
        """The client without its secrets."""
        return cls(
            id=client.id,
            name=client.name,
            status=client.status,
            scopes=client.scopes,
            account_ids=client.account_ids,
            resource_types=client.resource_types,
            created_at=client.created_at,
            secret_set_at=client.secret_set_at,
            old_secret_until=client.old_secret_until if client.old_secret_valid(now) else None,
        )


class ClientList(Answer):
    """All service clients; a platform has tens of them."""

    items: tuple[ClientView, ...]


def _created_before(made: CreatedClient) -> ClientAnswer:
    """The answer of a repeated request, which shows no secret."""
    return ClientAnswer(id=made.client.id, secret=None, note="shown-once")


async def create(ctx: Ctx, call: Call[NewClient, None]) -> Reply:
    """Return a new service client with its secret."""
    body = call.body
    result = await create_client(
        ctx,
        call.caller,
        name=body.name,
        scopes=body.scopes,
        account_ids=body.account_ids,
        resource_types=body.resource_types,
        guard=call.guard,
        repeat_answer=_created_before,
    )
    made = result.result
    return Reply(body=ClientAnswer(id=made.client.id, secret=made.secret), written=result)


async def list_clients(ctx: Ctx, call: Call[None, None]) -> ClientList:
    """Return all service clients."""
    now = ctx.clock.now()
    found = await service_clients.all_clients(ctx)
    return ClientList(items=tuple(ClientView.of(client, now=now) for client in found))


def _rotated(made: CreatedClient, secret: str | None) -> RotatedSecret:
    return RotatedSecret(
        id=made.client.id,
        secret=secret,
        note="shown-once" if secret is None else None,
        old_secret_until=made.client.old_secret_until,
    )


async def rotate(ctx: Ctx, call: Call[Rotation, None]) -> Reply:
    """Return a new secret of the client."""
    result = await service_clients.rotate(
        ctx,
        call.caller,
        ClientId(call.path["client_id"]),
        keep_old=timedelta(seconds=call.body.keep_old_seconds),
        guard=call.guard,
        repeat_answer=lambda made: _rotated(made, None),
    )
    return Reply(body=_rotated(result.result, result.result.secret), written=result)


async def end_old_secret(ctx: Ctx, call: Call[None, None]) -> Reply:
    """End the former secret."""
    written = await service_clients.end_former_secret(
        ctx, call.caller, ClientId(call.path["client_id"])
    )
    return _reply(ctx, written)


async def disable(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Disable the client."""
    return await _change(ctx, call, ClientStatus.DISABLED)


async def enable(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Enable the client."""
    return await _change(ctx, call, ClientStatus.ACTIVE)


async def delete(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Delete the client."""
    return await _change(ctx, call, ClientStatus.DELETED)


async def _change(ctx: Ctx, call: Call[None, None], status: ClientStatus) -> Reply:
    client_id = ClientId(call.path["client_id"])
    return _reply(ctx, await service_clients.change_status(ctx, call.caller, client_id, status))


def _reply(ctx: Ctx, written: WriteResult[ServiceClient]) -> Reply:
    return Reply(body=ClientView.of(written.result, now=ctx.clock.now()), written=written)


ROUTES = (
    Route(
        method="POST",
        path=_PLACE,
        handler=create,
        operation_id="createServiceClient",
        summary="Create a service client",
        tag="admin",
        access=Admin(),
        takes=NewClient,
        gives=ClientAnswer,
        status=201,
        effective_everywhere=True,
        idempotent=True,
    ),
    Route(
        method="GET",
        path=_PLACE,
        handler=list_clients,
        operation_id="listServiceClients",
        summary="List service clients, deleted ones too",
        tag="admin",
        access=Admin(),
        gives=ClientList,
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{client_id}}/secret",
        handler=rotate,
        operation_id="rotateClientSecret",
        summary="Give a service client another secret",
        tag="admin",
        access=Admin(),
        takes=Rotation,
        gives=RotatedSecret,
        status=201,
        refuses=(ClientDeleted,),
        idempotent=True,
    ),
    Route(
        method="DELETE",
        path=f"{_PLACE}/{{client_id}}/old-secret",
        handler=end_old_secret,
        operation_id="endOldClientSecret",
        summary="End the former secret of a service client",
        tag="admin",
        access=Admin(),
        gives=ClientView,
        refuses=(ClientDeleted,),
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{client_id}}/disable",
        handler=disable,
        operation_id="disableServiceClient",
        summary="Disable a service client: no service accepts it",
        tag="admin",
        access=Admin(),
        gives=ClientView,
        refuses=(ClientDeleted,),
        effective_everywhere=True,
        on_repeat="Finds the client disabled.",
    ),
    Route(
        method="POST",
        path=f"{_PLACE}/{{client_id}}/enable",
        handler=enable,
        operation_id="enableServiceClient",
        summary="Enable a service client",
        tag="admin",
        access=Admin(),
        gives=ClientView,
        refuses=(ClientDeleted,),
        effective_everywhere=True,
        on_repeat="Finds the client enabled.",
    ),
    Route(
        method="DELETE",
        path=f"{_PLACE}/{{client_id}}",
        handler=delete,
        operation_id="deleteServiceClient",
        summary="Delete a service client for good",
        tag="admin",
        access=Admin(),
        gives=ClientView,
        effective_everywhere=True,
    ),
)
