"""Authenticate the caller of a route and check that the route admits this caller."""

from aiohttp import web

from shared.auth.authenticator import Authenticator
from shared.auth.jwt import BadToken
from shared.auth.principals import (
    Anonymous,
    ClientPrincipal,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)
from shared.http.access import (
    Access,
    Admin,
    Client,
    Internal,
    Public,
    ScopedAccess,
    Session,
)
from shared.http.refusals import WrongPrincipal
from shared.problems import AuthorizationMalformed, ScopeMissing


async def authenticate(
    authenticator: Authenticator, access: Access, request: web.Request
) -> Principal:
    """Return the principal that a request's credential names, without a call or a look-up.

    Raises:
        Unauthenticated: the credential is missing or not valid.
    """
    match access:
        case Public():
            return Anonymous()
        case Admin():
            return authenticator.admin(_authorization(request))
        case Internal():
            return authenticator.service(_authorization(request))
        case _:
            return await authenticator.bearer(_authorization(request))


async def admit(authenticator: Authenticator, access: Access, principal: Principal) -> None:
    """Check that the principal still exists, and that the route is for principals of its kind.

    Raises:
        TokenRevoked: its session has ended, or the service client was deleted.
        Unavailable: that cannot be known now.
        WrongPrincipal: the route is for another kind of caller.
        ScopeMissing: the service client has no such scope.
    """
    match principal:
        case ServicePrincipal():
            if isinstance(access, Internal) and principal.service not in access.callers:
                raise WrongPrincipal(access)
        case UserPrincipal():
            if not (isinstance(access, Session) and access.may_have_ended):
                await authenticator.require_live(principal)
            if isinstance(access, Client):
                raise WrongPrincipal(access)
        case ClientPrincipal():
            await authenticator.require_live(principal)
            if not isinstance(access, ScopedAccess):
                raise WrongPrincipal(access)
            if access.scope not in principal.scopes:
                raise ScopeMissing(access.scope)


def _authorization(request: web.Request) -> str | None:
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        # A proxy in between may have checked another one than this service would.
        raise AuthorizationMalformed from BadToken("more than one credential")
    return headers[0] if headers else None
