"""Connections: which issuer a person signs in with."""

from services.identity.domain.sso_connections import (
    SsoConnection,
    SsoConnectionUnknown,
    connection_for,
)
from services.identity.use_cases.context import Ctx
from shared.addresses import parse_address
from shared.problems import Invalid


async def connection_by_id(ctx: Ctx, connection_id: str) -> SsoConnection:
    """Return a connection.

    Raises:
        SsoConnectionUnknown: there is none with this id.
    """
    for one in ctx.settings.connections:
        if one.id == connection_id:
            return one
    raise SsoConnectionUnknown


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
    if found is None:
        raise SsoConnectionUnknown
    return found
