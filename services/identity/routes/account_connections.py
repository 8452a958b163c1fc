"""The routes of the connections of an account."""

from dataclasses import replace
from datetime import datetime
from typing import Self

from services.identity.adapters.dns_texts import DnsUnavailable
from services.identity.domain.account_connections import (
    AccountConnection,
    DomainNotProved,
    DomainTaken,
    TooManyIssuers,
)
from services.identity.domain.sso_sign_in import redirect_uri_of
from services.identity.routes.fields import Text
from services.identity.routes.sso_sign_in import LongText
from services.identity.use_cases import account_connections
from services.identity.use_cases.context import Ctx
from shared.auth.account_refusals import SHUT_OUT
from shared.http.access import Permission, WaitsFor
from shared.http.routes import Answer, Body, Call, Reply, Route
from shared.problems import NotFound, PermissionMissing

MANAGE = "account:update"


class NewSsoConnection(Body):
    """An issuer, the client that this platform is there, and the domain that it speaks for."""

    label: Text
    issuer: LongText
    client_id: Text
    client_secret: Text | None = None
    domain: Text


class AccountConnectionView(Answer):
    """A connection of an account; its secret is never shown.

    `txt_name` and `txt_value` are the record that proves the domain. `redirect_uris` are to be
    registered at the issuer.
    """

    id: str
    label: str
    issuer: str
    client_id: str
    has_secret: bool
    domain: str
    txt_name: str
    txt_value: str
    redirect_uris: tuple[str, ...]
    created_at: datetime
    proved_at: datetime | None

    @classmethod
    def of(cls, ctx: Ctx, row: AccountConnection) -> Self:
        """Return the connection as the API shows it."""
        pages = ctx.settings.sign_in_pages
        return cls(
            id=row.id,
            label=row.label,
            issuer=row.issuer,
            client_id=row.client_id,
            has_secret=row.sealed_secret is not None,
            domain=row.domain,
            txt_name=row.record,
            txt_value=row.challenge,
            redirect_uris=tuple(redirect_uri_of(page, row.id) for page in pages),
            created_at=row.created_at,
            proved_at=row.proved_at,
        )


class AccountConnectionViews(Answer):
    """All connections of an account."""

    items: tuple[AccountConnectionView, ...]


async def list_connections(ctx: Ctx, call: Call[None, None]) -> AccountConnectionViews:
    """Return the connections of the account."""
    found = await ctx.store.connections_of(call.account_id)
    return AccountConnectionViews(items=tuple(AccountConnectionView.of(ctx, one) for one in found))


async def get_connection(ctx: Ctx, call: Call[None, None]) -> AccountConnectionView:
    """Return a connection of the account."""
    connection_id = call.path["connection_id"]
    found = await account_connections.found_in(ctx, call.account_id, connection_id)
    return AccountConnectionView.of(ctx, found)


async def create(ctx: Ctx, call: Call[NewSsoConnection, None]) -> Reply:
    """Return the new connection."""
    body = call.body
    made = await account_connections.create(
        ctx,
        call.caller,
        call.account_id,
        user_id=call.user.user_id,
        label=body.label,
        issuer=body.issuer,
        client_id=body.client_id,
        client_secret=body.client_secret,
        domain=body.domain,
    )
    return Reply(body=AccountConnectionView.of(ctx, made.result), written=made)


async def prove(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Return the connection, whose domain is proved now."""
    connection_id = call.path["connection_id"]
    proved = await account_connections.prove(
        ctx, call.caller, call.account_id, connection_id=connection_id
    )
    return Reply(body=AccountConnectionView.of(ctx, proved.result), written=proved)


async def delete(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Delete the connection."""
    connection_id = call.path["connection_id"]
    return Reply(
        written=await account_connections.delete(
            ctx, call.caller, call.account_id, connection_id=connection_id
        )
    )


_PATH = "/v1/accounts/{account_id}/sso-connections"
_ACCESS = Permission(MANAGE, in_session=True)
_CHANGE = Permission(MANAGE, in_session=True, fresh_proof=True)
_REFUSED = (NotFound, PermissionMissing, *SHUT_OUT.values())

ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=list_connections,
        operation_id="listAccountConnections",
        summary="The issuers that the account has for its people",
        tag="accounts",
        access=_ACCESS,
        gives=AccountConnectionViews,
        refuses=_REFUSED,
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=create,
        operation_id="createAccountConnection",
        summary="Connect the account with an issuer of OpenID Connect",
        tag="accounts",
        access=_CHANGE,
        takes=NewSsoConnection,
        gives=AccountConnectionView,
        refuses=(TooManyIssuers, *_REFUSED),
        on_repeat="Makes another connection; the list shows both.",
    ),
    Route(
        method="GET",
        path=f"{_PATH}/{{connection_id}}",
        handler=get_connection,
        operation_id="getAccountConnection",
        summary="One connection of the account",
        tag="accounts",
        access=_ACCESS,
        gives=AccountConnectionView,
        refuses=_REFUSED,
    ),
    Route(
        method="POST",
        path=f"{_PATH}/{{connection_id}}/prove-domain",
        handler=prove,
        operation_id="proveConnectionDomain",
        summary="Prove the domain by its text record",
        tag="accounts",
        access=replace(_CHANGE, waits_for=WaitsFor.OTHER_SERVERS),
        gives=AccountConnectionView,
        refuses=(DomainNotProved, DomainTaken, DnsUnavailable, *_REFUSED),
        on_repeat="Finds the domain proved.",
    ),
    Route(
        method="DELETE",
        path=f"{_PATH}/{{connection_id}}",
        handler=delete,
        operation_id="deleteAccountConnection",
        summary="Delete a connection; nothing is signed in through it any more",
        tag="accounts",
        access=_CHANGE,
        refuses=_REFUSED,
    ),
)
