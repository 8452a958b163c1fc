"""The original request of a gateway, and the decision about it."""

from dataclasses import dataclass

from rolecall.core.forward_auth import Gateway
from shared.contracts.policy_objects import ServiceClientObject
from shared.problems import Refusal, RefusalKind

PREFIX = "/forward-auth"


class NoRouteMatches(Refusal):
    """The map has no route for the original request, or there is no map."""

    kind = RefusalKind.DENIED
    code = "no-route-matches"
    detail = (
        "No route of the gateway's map matches this request. Send the path without encoded"
        " characters, dot segments and doubled slashes, or add the route to the map."
    )


class RequestDenied(Refusal):
    """The caller may not send the original request."""

    kind = RefusalKind.DENIED
    code = "request-denied"
    detail = "You may not do this: {reason}. Ask for the permission {permission}."


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalRequest:
    """The request that a gateway asks about, exactly as it received it."""

    method: str
    target: str
    host: str | None


HEADERS = {
    Gateway.NGINX: ("X-Original-Method", "X-Original-URI", "X-Original-Host"),
    Gateway.TRAEFIK: ("X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Host"),
}
"""Where a gateway tells method, address and host. Envoy sends the request itself, below a prefix.

Only the headers of the configured gateway are read: it overwrites its own and passes the others on
as the sender forged them.
"""


def may_pass(
    client: ServiceClientObject, *, scope: str | None, account_id: str | None, resource_type: str
) -> bool:
    """Whether a service client may send a request of a route with this scope."""
    accounts, types = client.account_ids, client.resource_types
    return (
        scope is not None
        and scope in client.scopes
        and (types is None or resource_type in types)
        and (accounts is None or account_id in accounts)
    )
