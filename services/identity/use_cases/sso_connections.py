"""Connections: which issuer a person signs in with."""

from services.identity.domain.account_connections import AccountConnection
from services.identity.domain.identities import IdentityNotLinked
from services.identity.domain.sso_connections import (
    SsoConnection,
    SsoConnectionUnknown,
    connection_for,
    domain_of,
)
from services.identity.use_cases.context import Ctx
from shared.addresses import parse_address
from shared.problems import Invalid


async def connection_by_id(ctx: Ctx, connection_id: str) -> SsoConnection:
    """Return a connection.

    Raises:
        SsoConnectionUnknown: there is none with this id, or it is turned off.
    """
    for one in ctx.settings.connections:
        if one.id == connection_id:
            return one
    found = await ctx.store.account_connection(connection_id)
    if found is None or not found.enabled:
        raise SsoConnectionUnknown
    return opened(ctx, found)


def opened(ctx: Ctx, row: AccountConnection) -> SsoConnection:
    """Return the connection of an account with its secret."""
    sealed = row.sealed_secret
    secret = None if sealed is None else ctx.sealed_secrets.open(sealed, about=row.id)
    return row.connection(secret)


async def require_proof(ctx: Ctx, connection: SsoConnection) -> None:
    """Look the text record of an account's domain up again, before a new identity is linked by it.

    A domain that has changed hands therefore links no further user to the former issuer.

    Raises:
        IdentityNotLinked: the record is gone.
        DnsUnavailable: that is not known now.
    """
    if connection.account_id is None:
        return
    row = await ctx.store.account_connection(connection.id)
    if row is None or row.challenge not in await ctx.texts.of(row.record):
        raise IdentityNotLinked


async def connection_of_address(ctx: Ctx, email: str) -> SsoConnection:
    """Return the connection that lists the domain of an address; no user is looked up (`T9`).

    Raises:
        Invalid: this is not an address.
        SsoConnectionUnknown: no connection lists its domain.
    """
    try:
        address = parse_address(email)
    except ValueError as problem:
        raise Invalid(errors=[("/email", str(problem))]) from problem
    found = connection_for(ctx.settings.connections, address.key)
    if found is not None:
        return found
    row = await ctx.store.connection_of_domain(domain_of(address.key))
    if row is None or not row.enabled:
        raise SsoConnectionUnknown
    return opened(ctx, row)
