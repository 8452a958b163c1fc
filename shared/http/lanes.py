"""Admission limits: how many requests of each kind one API works on at the same time (`T19`).

A request takes a place in the lane of its kind before the first database call, or is refused at
once. The lanes of the public and of the internal port are separate, as are those of two services.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import Counter

from shared.auth.principals import (
    AdminPrincipal,
    Anonymous,
    ClientPrincipal,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)
from shared.http.access import Access, Public
from shared.metrics import REGISTRY
from shared.networks import network_of
from shared.problems import Refusal, RefusalKind, Unavailable


class Lane(StrEnum):
    """The kinds of requests that do not wait for each other."""

    STRANGERS = "strangers"
    """Without a credential: sign-up, sign-in, refresh, mailed links."""
    CLIENT_SIGN_INS = "client_sign_ins"
    """Service clients that ask for a token with their secret."""
    USERS = "users"
    CLIENTS = "clients"
    SERVICES = "services"
    """Services of the product and the operator, on the internal port."""


REQUESTS_AT_ONCE = 32


def lane_limits(requests_at_once: int) -> Mapping[Lane, int]:
    """The requests of each lane at the same time, when users have this many.

    Most service clients only check permissions, which asks no database.
    """
    return {
        Lane.STRANGERS: requests_at_once * 3 // 4,
        Lane.CLIENT_SIGN_INS: requests_at_once // 2,
        Lane.USERS: requests_at_once,
        Lane.CLIENTS: requests_at_once * 6,
        Lane.SERVICES: requests_at_once * 3,
    }


LANE_LIMITS = lane_limits(REQUESTS_AT_ONCE)

NOT_ADMITTED = Counter(
    "rolecall_http_not_admitted",
    "Requests refused before they were worked on, by lane and problem code.",
    ("service", "lane", "code"),
    registry=REGISTRY,
)


class Overloaded(Unavailable):
    """The lane is full."""

    code = "overloaded"
    detail = (
        "The service handles as many requests of this kind as it can."
        " Wait the number of seconds in the Retry-After header, then try again."
    )


class TooManyAtOnce(Refusal):
    """The sender has its share of the lane."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-requests-at-once"
    detail = "Too many of your requests are running at the same time. Wait for some to end."


class Admission:
    """The places of one API in each lane, and who holds them."""

    def __init__(self, service: str, *, limits: Mapping[Lane, int] = LANE_LIMITS) -> None:
        self._service = service
        self._limits = limits
        self._running: dict[Lane, dict[str, int]] = {lane: {} for lane in Lane}

    @contextmanager
    def place(self, lane: Lane, sender: str) -> Iterator[None]:
        """Hold a place in a lane while the block runs.

        A sender may take half of the places that are free. Many requests of one sender therefore
        leave room for others, and the more senders there are, the smaller is the share of each.

        Raises:
            Overloaded: no place is free.
            TooManyAtOnce: the sender has its share.
        """
        running = self._running[lane]
        free = self._limits[lane] - sum(running.values())
        mine = running.get(sender, 0)
        if free <= 0 or 2 * mine >= free:
            refusal = Overloaded() if free <= 0 else TooManyAtOnce(retry_after=1)
            NOT_ADMITTED.labels(self._service, lane, refusal.code).inc()
            raise refusal
        running[sender] = mine + 1
        try:
            yield
        finally:
            running[sender] -= 1
            if not running[sender]:
                del running[sender]


def lane_of(access: Access, principal: Principal, ip: str | None) -> tuple[Lane, str]:
    """The lane of a request, and who counts as its sender there."""
    match principal:
        case UserPrincipal():
            return Lane.USERS, principal.user_id
        case ClientPrincipal():
            return Lane.CLIENTS, principal.client_id
        case ServicePrincipal():
            return Lane.SERVICES, principal.service
        case AdminPrincipal():
            return Lane.SERVICES, "operator"
        case Anonymous():
            for_clients = isinstance(access, Public) and access.for_clients
            return Lane.CLIENT_SIGN_INS if for_clients else Lane.STRANGERS, network_of(ip)
