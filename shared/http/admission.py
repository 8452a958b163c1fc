"""Authenticate the caller of a route and check that the route admits this caller."""

from dataclasses import replace

from aiohttp import web

from rolecall.client.jwt import BadToken
from shared import context
from shared.auth.authenticator import Authenticator, Credential
from shared.auth.principals import (
    Anonymous,
    ApiTokenPrincipal,
    ClientPrincipal,
    DelegatedPrincipal,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)
from shared.http.access import (
    Access,
    Admin,
    AnyToken,
    Client,
    Internal,
    Public,
    ScopedAccess,
    Session,
    needs_fresh_proof,
    takes_api_tokens,
    takes_delegated,
)
from shared.http.lanes import Lane, Share, share_of
from shared.http.operators import (
    OPERATOR_HEADER,
    SERVICE_HEADER,
    operator_name,
    require_service,
)
from shared.http.refusals import ExchangedToken, WrongPrincipal
from shared.problems import AuthorizationMalformed, Refusal, ScopeMissing


async def authenticate(
    authenticator: Authenticator, access: Access, request: web.Request
) -> Principal:
    """Return the principal that a request's credential names, without a database call.

    Raises:
        Unauthenticated: the credential is missing or not valid.
        OtherService: an operator means another service.
        Unavailable: it cannot be known now what an API token stands for.
    """
    match access:
        case Public():
            return Anonymous()
        case Admin():
            operator = authenticator.admin(_authorization(request))
            name = operator_name(request.headers.getall(OPERATOR_HEADER, []))
            meant = request.headers.getall(SERVICE_HEADER, [])
            require_service(meant, str(context.service.get()))
            return replace(operator, name=name)
        case Internal():
            return authenticator.service(_authorization(request))
        case _:
            return await authenticator.bearer(_authorization(request))


def refused_by_token(access: Access, principal: Principal) -> Refusal | None:
    """Return why the route is not for this principal, as its token alone says: kind or scope.

    It is known before the body is read. `admit` raises it.
    """
    match principal:
        case ServicePrincipal():
            if isinstance(access, Internal) and principal.service not in access.callers:
                return WrongPrincipal(access)
        case UserPrincipal():
            if isinstance(access, Client):
                return WrongPrincipal(access)
        case ApiTokenPrincipal():
            if not takes_api_tokens(access):
                return WrongPrincipal(access)
        case DelegatedPrincipal():
            if not takes_delegated(access):
                return ExchangedToken(access)
        case ClientPrincipal():
            return _refused_client(access, principal)
    return None


def require_admitted(access: Access, principal: Principal) -> None:
    """Check what `refused_by_token` says.

    Raises:
        WrongPrincipal, ScopeMissing: the route is not for this principal.
    """
    refusal = refused_by_token(access, principal)
    if refusal is not None:
        raise refusal


class Sender(Credential):
    """Who sends the requests to one route that have one `Authorization` header.

    What its token alone says is found once, until the header stands for another principal.
    """

    __slots__ = ("_access", "_principal", "lane", "refused", "share")

    def __init__(self, header: str, access: Access) -> None:
        super().__init__(header)
        self._access = access
        self._principal: Principal | None = None
        self.lane: Lane
        self.share: Share
        self.refused: bool
        """Whether the route refuses it; see `refused_by_token`."""

    def take(self, principal: Principal) -> None:
        """Take the principal that the header stands for now."""
        if principal is not self._principal:
            self.lane, self.share = share_of(self._access, principal, None)
            self.refused = refused_by_token(self._access, principal) is not None
            self._principal = principal


def _refused_client(access: Access, client: ClientPrincipal) -> Refusal | None:
    if isinstance(access, AnyToken):
        return None
    if not isinstance(access, ScopedAccess):
        return WrongPrincipal(access)
    return None if access.scope in client.scopes else ScopeMissing(access.scope)


async def admit(
    authenticator: Authenticator, access: Access, principal: Principal, refusal: Refusal | None
) -> None:
    """Check that the principal still exists, then raise what its token alone is refused for.

    Raises:
        TokenRevoked: its session has ended, or the service client or API token is gone.
        Unavailable: that cannot be known now.
        WrongPrincipal, ScopeMissing: as `refused_by_token`.
        StepUpRequired: the user has not proved a short time ago who they are.
    """
    may_be_gone = isinstance(access, Session) and access.may_have_ended
    if isinstance(principal, ClientPrincipal | ApiTokenPrincipal | DelegatedPrincipal) or (
        isinstance(principal, UserPrincipal) and not may_be_gone
    ):
        await authenticator.require_live(principal)
    if refusal is not None:
        raise refusal
    if needs_fresh_proof(access) and isinstance(principal, UserPrincipal):
        authenticator.require_fresh(principal)


def _authorization(request: web.Request) -> str | None:
    headers = request.headers.getall("Authorization", [])
    if len(headers) > 1:
        # A proxy in between may have checked another one than this service would.
        raise AuthorizationMalformed from BadToken("more than one credential")
    return headers[0] if headers else None
