"""How many requests one address may send to the gateway, by the kind of route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deploy.gateway.paths import PARAMETER
from shared.http.access import Client, Public, SessionOrClient
from shared.http.routes import Route


@dataclass(frozen=True, kw_only=True)
class SenderLimit:
    """What one address may send to one kind of route; `burst` may arrive at once."""

    zone: str
    per_second: int
    burst: int
    at_once: int

    @property
    def zones(self) -> str:
        """The directives that keep the counts of this kind."""
        return (
            f"  limit_req_zone $binary_remote_addr zone={self.zone}_rate:4m"
            f" rate={self.per_second}r/s;\n"
            f"  limit_conn_zone $binary_remote_addr zone={self.zone}:4m;\n"
        )

    @property
    def directives(self) -> str:
        """The directives that apply the limit to a location."""
        return (
            f"limit_req zone={self.zone}_rate burst={self.burst} nodelay;"
            f" limit_conn {self.zone} {self.at_once};"
        )


STRANGERS = SenderLimit(zone="strangers", per_second=10, burst=40, at_once=40)
"""Routes without a credential: sign-up, sign-in, refresh, mailed links."""
USERS = SenderLimit(zone="users", per_second=100, burst=400, at_once=200)
USER_RATE_ZONE = "  limit_req_zone $http_authorization zone=tokens:16m rate=30r/s;\n"
USER_RATE = "limit_req zone=tokens burst=100 nodelay;"
"""The rate of one user from all addresses together. A refusal costs least here."""
CLIENTS = SenderLimit(zone="clients", per_second=2000, burst=1000, at_once=500)
"""Routes of service clients. All services of a platform may come from one address, and browsers
there do not use their limit up."""
SENDER_LIMITS = (STRANGERS, USERS, CLIENTS)


def sender_limits(routes: Mapping[str, Sequence[Route]]) -> dict[str, SenderLimit]:
    """The limit of each path template; a path with several rows has the narrowest of theirs."""
    limits: dict[str, SenderLimit] = {}
    for rows in routes.values():
        for route in rows:
            shape = PARAMETER.sub("{}", route.path)
            known = limits.get(shape, CLIENTS)
            limits[shape] = min(known, _limit_of(route), key=SENDER_LIMITS.index)
    return limits


def _limit_of(route: Route) -> SenderLimit:
    match route.access:
        case Public(for_clients=False) if route.takes is not None:
            return STRANGERS
        case Public() | Client() | SessionOrClient():
            return CLIENTS
        case _:
            return USERS
