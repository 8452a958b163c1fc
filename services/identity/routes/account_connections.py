"""The routes of the connections of an account."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from services.identity.adapters.dns_texts import DnsUnavailable
from services.identity.domain.account_connections import (
    ConnectionChange,
    DomainNotProved,
    DomainTaken,
    TooManyIssuers,
)
from services.identity.domain.join_rules import (
    JoinRoleNotHeld,
    JoinRoleOutlasts,
    JoinRoleUnknown,
    JoinsNoTeam,
)
from services.identity.domain.users import caller_as
from services.identity.routes.fields import Text
from services.identity.routes.sso_sign_in import LongText
from services.identity.use_cases import account_connections, connection_domains
from services.identity.use_cases.account_connections import ShownConnection, shown
from services.identity.use_cases.context import Ctx
from shared.auth.account_refusals import SHUT_OUT
from shared.contracts.facts import Caller
from shared.http.access import Permission, WaitsFor
from shared.http.entity_tags import TaggedAnswer
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
    join_role: Text | None = None


class ChangeSsoConnection(Body):
    """What changes; a member that is left out stays as it is, and `null` ends it.

    Another issuer has to be proved again, with a new text record. It needs its own `client_secret`
    (or `null`) in the same request if the connection has one. A connection that is not
    `enabled` signs no person in.
    """

    label: Text | None = None
    issuer: LongText | None = None
    client_id: Text | None = None
    client_secret: Text | None = None
    enabled: bool | None = None
    join_role: Text | None = None

    @property
    def change(self) -> ConnectionChange:
        """The change, without the secret, which is to be sealed."""
        named = self.model_fields_set
        return ConnectionChange(
            label=self.label,
            issuer=self.issuer,
            client_id=self.client_id,
            drops_secret="client_secret" in named and self.client_secret is None,
            enabled=self.enabled,
            join_role=self.join_role,
            drops_rule="join_role" in named and self.join_role is None,
        )


class AccountConnectionView(TaggedAnswer):
    """A connection of an account; its secret is never shown.

    `txt_name` and `txt_value` are the record that proves the domain. `redirect_uris` are to be
    registered at the issuer. With `join_role` a person who signs in with an address of the proved
    domain becomes a member with this role, which `rule_set_by` gives.
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
    enabled: bool
    join_role: str | None
    rule_set_by: str | None

    @classmethod
    def of(cls, shown: ShownConnection) -> Self:
        """Return the connection as the API shows it."""
        row = shown.row
        return cls(
            id=row.id,
            label=row.label,
            issuer=row.issuer,
            client_id=row.client_id,
            has_secret=row.sealed_secret is not None,
            domain=row.domain,
            txt_name=row.record,
            txt_value=row.challenge,
            redirect_uris=shown.redirect_uris,
            created_at=row.created_at,
            proved_at=row.proved_at,
            enabled=row.enabled,
            join_role=row.join_role,
            rule_set_by=row.rule_set_by,
        )


class AccountConnectionViews(Answer):
    """All connections of an account."""

    items: tuple[AccountConnectionView, ...]


async def list_connections(ctx: Ctx, call: Call[None, None]) -> AccountConnectionViews:
    """Return the connections of the account."""
    found = await ctx.store.connections_of(call.account_id)
    return AccountConnectionViews(
        items=tuple(AccountConnectionView.of(shown(ctx, one)) for one in found)
    )


async def get_connection(ctx: Ctx, call: Call[None, None]) -> AccountConnectionView:
    """Return a connection of the account."""
    connection_id = call.path["connection_id"]
    found = await account_connections.found_in(ctx, call.account_id, connection_id)
    return AccountConnectionView.of(shown(ctx, found))


async def create(ctx: Ctx, call: Call[NewSsoConnection, None]) -> Reply:
    """Return the new connection."""
    body = call.body
    made = await account_connections.create(
        ctx,
        await _named(ctx, call),
        call.account_id,
        user_id=call.user.user_id,
        label=body.label,
        issuer=body.issuer,
        client_id=body.client_id,
        client_secret=body.client_secret,
        domain=body.domain,
        join_role=body.join_role,
        guard=call.guard,
        repeat_answer=AccountConnectionView.of,
    )
    return Reply(body=AccountConnectionView.of(made.result), written=made)


async def change(ctx: Ctx, call: Call[ChangeSsoConnection, None]) -> Reply:
    """Return the changed connection."""
    changed = await account_connections.change(
        ctx,
        await _named(ctx, call),
        call.account_id,
        user_id=call.user.user_id,
        connection_id=call.path["connection_id"],
        wanted=call.body.change,
        client_secret=call.body.client_secret,
        precondition=call.precondition,
    )
    return Reply(body=AccountConnectionView.of(changed.result), written=changed)


async def prove(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Return the connection, whose domain is proved now."""
    connection_id = call.path["connection_id"]
    proved = await connection_domains.prove(
        ctx,
        await _named(ctx, call),
        call.account_id,
        user_id=call.user.user_id,
        connection_id=connection_id,
    )
    return Reply(body=AccountConnectionView.of(proved.result), written=proved)


async def delete(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Delete the connection."""
    connection_id = call.path["connection_id"]
    return Reply(
        written=await account_connections.delete(
            ctx,
            await _named(ctx, call),
            call.account_id,
            connection_id=connection_id,
        )
    )


async def _named(ctx: Ctx, call: Call[Any, None]) -> Caller:
    """The caller with a name and an address, which mails and webhooks tell."""
    user = await ctx.store.user(call.user.user_id)
    return call.caller if user is None else caller_as(call.caller, user)


_PATH = "/v1/accounts/{account_id}/sso-connections"
_ACCESS = Permission(MANAGE, in_session=True)
_CHANGE = Permission(MANAGE, in_session=True, fresh_proof=True)
_RULE = (JoinsNoTeam, JoinRoleUnknown, JoinRoleNotHeld, JoinRoleOutlasts)
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
        status=201,
        refuses=(TooManyIssuers, *_RULE, *_REFUSED),
        idempotent=True,
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
        represent=AccountConnectionView.of,
    ),
    Route(
        method="PATCH",
        path=f"{_PATH}/{{connection_id}}",
        handler=change,
        operation_id="changeAccountConnection",
        summary="Change a connection, turn it on or off, or say who joins by it",
        tag="accounts",
        access=_CHANGE,
        takes=ChangeSsoConnection,
        gives=AccountConnectionView,
        refuses=(*_RULE, *_REFUSED),
        represent=AccountConnectionView.of,
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
