"""Authenticate the caller of a route and check that the route admits this kind of caller."""

from aiohttp import web

from shared.auth.authenticator import Authenticator
from shared.auth.jwt import BadToken
from shared.auth.principals import Anonymous, ClientPrincipal, Principal, UserPrincipal
from shared.http.access import (
    Access,
    Admin,
    Client,
    Internal,
    Permission,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.refusals import WrongPrincipal
from shared.problems import ScopeMissing, Unauthenticated


async def authenticate(
    authenticator: Authenticator, access: Access, request: web.Request
) -> Principal:
    """Return the principal of a request, if the access of its route admits it.

    Raises:
        Unauthenticated: the credential is missing or not valid, or its session has ended.
        WrongPrincipal: the route is for another kind of caller.
        ScopeMissing: the service client has no such scope.
    """
    match access:
        case Public():
            return Anonymous()
        case Admin():
            return authenticator.admin(_authorization(request))
        case Internal():
            service = authenticator.service(_authorization(request))
            if service.service not in access.callers:
                raise WrongPrincipal(access)
            return service
        case _:
            may_have_ended = isinstance(access, Session) and access.may_have_ended
            principal = await authenticator.bearer(
                _authorization(request), may_have_ended=may_have_ended
            )
            _admit(access, principal)
            return principal


def _authorization(request: web.Request) -> str | None:
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        # A proxy in between may have checked another one than this service would.
        raise Unauthenticated from BadToken("more than one credential")
    return headers[0] if headers else None


def _admit(
    access: Session | Permission | Client | SessionOrClient,
    principal: UserPrincipal | ClientPrincipal,
) -> None:
    if isinstance(principal, UserPrincipal):
        if isinstance(access, Client):
            raise WrongPrincipal(access)
    elif not isinstance(access, Client | SessionOrClient):
        raise WrongPrincipal(access)
    elif access.scope not in principal.scopes:
        raise ScopeMissing(access.scope)
