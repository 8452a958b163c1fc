"""How often may somebody try, counted in the database so that replicas share the count?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from math import ceil

from services.identity.store import Store
from shared.problems import Refusal, RefusalKind


class TooManyRequests(Refusal):
    """A limit is reached; the same for addresses with and without a user."""

    kind = RefusalKind.RATE_LIMITED
    code = "too-many-requests"
    detail = "Too many attempts; try again later."


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """At most `most` attempts in `per`, for what `of` names."""

    of: tuple[str, ...]
    most: int
    per: timedelta

    @property
    def id(self) -> str:
        """A name of fixed length that tells nobody's address."""
        return sha256("\0".join(self.of).encode()).hexdigest()


def network_of(ip: str | None) -> str:
    """What counts as one sender: an IPv4 address, or the /64 that one customer has."""
    if ip is None:
        return "unknown"
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


@asynccontextmanager
async def counted(
    store: Store, now: datetime, *buckets: Bucket, refusals: tuple[type[Refusal], ...] = ()
) -> AsyncIterator[None]:
    """Count one attempt in each bucket before the work, so that none at once pass together.

    It stays counted where the work ends in one of `refusals`; without any, where it ends well.
    Every other end gives it back: that this process is busy or the database away is nobody's try.

    Raises:
        TooManyRequests: one of the buckets is full.
    """
    for bucket in buckets:
        count, ends_at = await store.count(bucket.id, now=now, per=bucket.per)
        if count > bucket.most:
            raise TooManyRequests(retry_after=max(1, ceil((ends_at - now).total_seconds())))
    stays = not refusals
    try:
        yield
    except BaseException as ended:
        stays = isinstance(ended, refusals)
        raise
    finally:
        if not stays:
            for bucket in buckets:
                await store.uncount(bucket.id)
