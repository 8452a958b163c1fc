"""The route that gateways ask before they forward a request."""

from rolecall import Reason
from rolecall.core.forward_auth import Gateway
from services.authz.domain.forwarded import (
    HEADERS,
    PREFIX,
    NoRouteMatches,
    OriginalRequest,
    RequestDenied,
)
from services.authz.use_cases import forward_auth as use_case
from services.authz.use_cases.context import Ctx
from shared.auth.principals import Bearer
from shared.http.access import AnyToken
from shared.http.gateways import GatewayForbidden, GatewayUndecided
from shared.http.routes import REVISION_HEADER, Call, Reply, Route, Strictness
from shared.problems import Stale

ENVOY_HOST = "Host"


async def forward_auth(ctx: Ctx, call: Call[None, None]) -> Reply:
    """Let the original request pass, with the identity of its sender in headers."""
    principal = call.principal
    if not isinstance(principal, Bearer):
        raise TypeError("The route admits bearer tokens only.")
    gateway = None if ctx.forward_auth is None else ctx.forward_auth.gateway
    original = None if gateway is None else original_request(gateway, call)
    passed = await use_case.decide(ctx, principal, original, at_least_revision=call.revision)
    # Every header is there, also if it is empty: a gateway then replaces what the sender forged.
    headers: dict[str, str | None] = {
        "Rolecall-User": passed.user_id,
        "Rolecall-Client": passed.client_id,
        "Rolecall-Account": passed.account_id,
        "Rolecall-Role": passed.role,
        "Rolecall-Override": passed.override,
        "Rolecall-Reason": Reason.ALLOWED,
        REVISION_HEADER: passed.revision,
    }
    return Reply(status=200, headers={name: value or "" for name, value in headers.items()})


def original_request(gateway: Gateway, call: Call[None, None]) -> OriginalRequest | None:
    """The request that the gateway asks about; `None` if it does not tell it once and wholly."""
    if gateway is Gateway.ENVOY:
        if not call.target.startswith(f"{PREFIX}/"):
            return None
        return OriginalRequest(
            method=call.method,
            target=call.target.removeprefix(PREFIX),
            host=_single(call, ENVOY_HOST),
        )
    if call.target.partition("?")[0] != PREFIX:
        return None
    method, target, host = (_single(call, name) for name in HEADERS[gateway])
    if method is None or target is None:
        return None
    return OriginalRequest(method=method, target=target, host=host)


def _single(call: Call[None, None], name: str) -> str | None:
    values = call.headers.getall(name, [])
    return values[0] if len(values) == 1 else None


ROUTES = (
    Route(
        method="GET",
        path=PREFIX,
        handler=forward_auth,
        operation_id="forwardAuth",
        summary="Decide a request that a gateway asks about",
        tag="decisions",
        access=AnyToken(),
        refuses=(Stale, NoRouteMatches, RequestDenied, GatewayForbidden, GatewayUndecided),
        strictness=Strictness.LENIENT,
        for_gateways=True,
    ),
)
