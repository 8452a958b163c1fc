"""Admission limits: how many requests of each kind one API works on at the same time (`T19`).

A request takes a place in the lane of its kind before the first database call, or is refused at
once. The lanes of the public and of the internal port are separate, as are those of two services.
"""

import collections
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from shared import context
from shared.auth.principals import (
    AdminPrincipal,
    Anonymous,
    ApiTokenPrincipal,
    ClientPrincipal,
    DelegatedPrincipal,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)
from shared.http.access import Access, Permission, Public, PublicCallers, Session, WaitsFor
from shared.metrics import NOT_ADMITTED, start_at_zero
from shared.networks import network_of
from shared.problems import Refusal, RefusalKind, Unavailable
from shared.quotas import Quota, QuotaUnit


class Lane(StrEnum):
    """The kinds of requests that do not wait for each other."""

    STRANGERS = "strangers"
    """Without a credential: sign-in, mailed links."""
    MAILS = "mails"
    """Sign-up, and other requests for a mail. Most of them wait for their turn."""
    ISSUERS = "issuers"
    """Sign-ins with an issuer, which wait for its answers. A slow one holds no other place."""
    REFRESHES = "refreshes"
    """Users who renew their access token."""
    CLIENT_SIGN_INS = "client_sign_ins"
    """Service clients that ask for a token with their secret."""
    USERS = "users"
    OUTSIDE = "outside"
    """Users whose answer waits for servers of other people."""
    CLIENTS = "clients"
    SERVICES = "services"
    """Services of the product and the operator, on the internal port."""


REQUESTS_AT_ONCE = 32


def lane_limits(requests_at_once: int) -> Mapping[Lane, int]:
    """The requests of each lane at the same time, when users have this many.

    Most service clients only check permissions, which asks no database. A client's sign-in reads
    one document, and all services of a platform may start at once. A request for a mail waits in
    memory for most of its time.
    """
    return {
        Lane.STRANGERS: requests_at_once * 3 // 4,
        Lane.MAILS: requests_at_once * 4,
        Lane.ISSUERS: requests_at_once,
        Lane.REFRESHES: requests_at_once,
        Lane.CLIENT_SIGN_INS: requests_at_once * 4,
        Lane.USERS: requests_at_once,
        Lane.OUTSIDE: requests_at_once,
        Lane.CLIENTS: requests_at_once * 6,
        Lane.SERVICES: requests_at_once * 3,
    }


def body_limits(limits: Mapping[Lane, int]) -> Mapping[Lane, int]:
    """The requests of each lane whose bodies may arrive at the same time.

    They cost memory only, so there are several for each place.
    """
    return {lane: limit * 4 for lane, limit in limits.items()}


LANE_LIMITS = lane_limits(REQUESTS_AT_ONCE)
LANE_BODY_BYTES = 64 * 1024 * 1024
"""The bytes of the bodies that a lane holds at once, from their announcement to the answer.

A few routes take megabytes. Places alone would let gigabytes in.
"""


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


@dataclass(frozen=True, slots=True)
class Share:
    """Who holds places of a lane, and how many: up to `of_free` times those that are free.

    Many requests of one holder therefore leave room for others, and the more holders there are,
    the smaller is the share of each.
    """

    holder: str
    of_free: float = 0.5


OF_FREE_FOR_A_PLATFORM = 3
"""The share of one network in the sign-ins of clients: three quarters of an empty lane."""


class Admission:
    """The places of one API in each lane, and who holds them; or bytes, as the `unit` says."""

    def __init__(
        self,
        service: str,
        *,
        limits: Mapping[Lane, int] = LANE_LIMITS,
        unit: QuotaUnit = QuotaUnit.REQUESTS_AT_ONCE,
    ) -> None:
        self._service = service
        self._unit = unit
        self._limits = limits
        self._taken = dict.fromkeys(limits, 0)
        self._held: collections.Counter[tuple[Lane, str]] = collections.Counter()
        start_at_zero(NOT_ADMITTED, [service], limits, (Overloaded.code, TooManyAtOnce.code))

    @contextmanager
    def place(self, lane: Lane, *shares: Share, size: int = 1) -> Iterator[None]:
        """Hold `size` places in a lane while the block runs; they count for each of the shares.

        Raises:
            Overloaded: fewer places are free.
            TooManyAtOnce: one of the shares is used up.
        """
        if size == 0:
            yield
            return
        free = self._free(lane)
        holders = [(lane, share.holder) for share in shares]
        held = {share: self._held[lane, share.holder] for share in shares}
        used_up = [count for share, count in held.items() if count >= share.of_free * free]
        if free < size or used_up:
            refusal = Overloaded() if free < size else self._too_many(lane, min(used_up))
            NOT_ADMITTED.labels(self._service, lane, refusal.code).inc()
            raise refusal
        self._taken[lane] += size
        for holder in holders:
            self._held[holder] += size
        try:
            yield
        finally:
            self._taken[lane] -= size
            for holder in holders:
                self._held[holder] -= size
                if not self._held[holder]:
                    del self._held[holder]

    def admits(self, lane: Lane, share: Share, *, size: int = 1) -> bool:
        """Whether `place` would admit a request now; one that does not wait needs to hold none."""
        taken = self._taken[lane]
        free = self._limits[lane] - taken
        if not taken:
            return free >= size
        return free >= size and self._held[lane, share.holder] < share.of_free * free

    def _free(self, lane: Lane) -> int:
        return self._limits[lane] - self._taken[lane]

    def _too_many(self, lane: Lane, limit: int) -> Refusal:
        """Refuse a request beyond a share, whose size at this moment the answer tells."""
        what = "at-once" if self._unit is QuotaUnit.REQUESTS_AT_ONCE else "bytes-at-once"
        quota = Quota(
            name=f"{lane}-{what}", limit=limit, remaining=0, reset_seconds=1, unit=self._unit
        )
        context.quotas.set((quota,))
        return TooManyAtOnce(retry_after=1)


_PUBLIC_LANES = {
    PublicCallers.STRANGERS: Lane.STRANGERS,
    PublicCallers.CLIENTS: Lane.CLIENT_SIGN_INS,
    PublicCallers.MAILED: Lane.MAILS,
    PublicCallers.ISSUERS: Lane.ISSUERS,
    PublicCallers.SIGNED_IN: Lane.REFRESHES,
}


_WAITING_LANES = {WaitsFor.OTHER_SERVERS: Lane.OUTSIDE, WaitsFor.MAIL: Lane.MAILS}


def share_of(access: Access, principal: Principal, ip: str | None) -> tuple[Lane, Share]:
    """The lane of a request, and the share of its sender there."""
    match principal:
        case UserPrincipal() | ApiTokenPrincipal():
            waits_for = access.waits_for if isinstance(access, Session | Permission) else None
            lane = Lane.USERS if waits_for is None else _WAITING_LANES[waits_for]
            return lane, Share(principal.user_id)
        case ClientPrincipal() | DelegatedPrincipal():
            return Lane.CLIENTS, Share(principal.client_id)
        case ServicePrincipal():
            return Lane.SERVICES, Share(principal.service)
        case AdminPrincipal():
            return Lane.SERVICES, Share("operator")
        case Anonymous():
            callers = access.callers if isinstance(access, Public) else PublicCallers.STRANGERS
            of_free = OF_FREE_FOR_A_PLATFORM if callers is PublicCallers.CLIENTS else 0.5
            return _PUBLIC_LANES[callers], Share(network_of(ip), of_free)


def client_share(network: Share, credentials: tuple[str | None, bytes]) -> Share:
    """The share of a service client that signs in, within that of its network.

    What it sends as credentials tells it from others. They are not verified yet.
    """
    return Share(f"{network.holder} {hash(credentials):x}")
