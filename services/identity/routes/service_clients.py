"""The operator's route of service clients."""

from typing import Annotated, Literal

from pydantic import Field

from services.identity.domain.service_clients import ClientScope
from services.identity.routes.fields import AccountIdText
from services.identity.use_cases.context import Ctx
from services.identity.use_cases.service_clients import CreatedClient, create_client
from shared.http.access import Admin
from shared.http.routes import Answer, Body, Call, Reply, Route


class NewClient(Body):
    """A new service client; `null` means every account or every resource type.

    Its access tokens name its accounts and types: at the limits below they fit into the 8 KB of a
    token.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
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


ROUTES = (
    Route(
        method="POST",
        path="/internal/admin/service-clients",
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
)
