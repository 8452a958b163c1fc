"""How much of a limit is left to a caller, and the headers that say so.

The headers are `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers, in the
form with one member for each policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class QuotaUnit(StrEnum):
    """What a limit without a window counts."""

    REQUESTS_AT_ONCE = "concurrent-requests"
    BYTES_AT_ONCE = "content-bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit and what is left of it.

    Without `window_seconds` it is a limit of what runs at the same time, in its `unit`. After
    `reset_seconds`, rounded up, more is left.
    """

    name: str
    limit: int
    remaining: int
    reset_seconds: int
    window_seconds: int | None = None
    unit: QuotaUnit = QuotaUnit.REQUESTS_AT_ONCE


def quota_headers(quotas: Sequence[Quota]) -> dict[str, str]:
    """Return the headers that tell a caller its quotas; none without quotas."""
    if not quotas:
        return {}
    return {
        "RateLimit-Policy": ", ".join(
            policy(quota.name, quota.limit, window_seconds=quota.window_seconds, unit=quota.unit)
            for quota in quotas
        ),
        "RateLimit": ", ".join(
            f'"{quota.name}";r={quota.remaining};t={quota.reset_seconds}' for quota in quotas
        ),
    }


def policy(
    name: str,
    limit: int,
    *,
    window_seconds: int | None,
    unit: QuotaUnit = QuotaUnit.REQUESTS_AT_ONCE,
) -> str:
    """Return one member of a `RateLimit-Policy`."""
    per = f'qu="{unit}"' if window_seconds is None else f"w={window_seconds}"
    return f'"{name}";q={limit};{per}'
