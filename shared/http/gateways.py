"""The refusals of routes that gateways ask: with the three statuses that every gateway knows."""

from shared.problems import Refusal, RefusalKind


class GatewayUndecided(Refusal):
    """It cannot be decided now, for a reason that has another status elsewhere."""

    kind = RefusalKind.UNAVAILABLE
    code = "undecided"
    detail = "The request could not be decided. Send it again in a moment."


class GatewayForbidden(Refusal):
    """The gateway's question is not one that can be allowed."""

    kind = RefusalKind.DENIED
    code = "forbidden"
    detail = "The request is not allowed. Check what the gateway sends, and its map of routes."


_KNOWN = frozenset({RefusalKind.UNAUTHENTICATED, RefusalKind.DENIED, RefusalKind.UNAVAILABLE})
_UNDECIDED = frozenset(
    {
        RefusalKind.RATE_LIMITED,
        RefusalKind.TIMEOUT,
        RefusalKind.UNEXPECTED,
    }
)


def refusal_for_gateway(refusal: Refusal) -> Refusal:
    """The refusal with status 401, 403 or 503; what is undecided is never a denial."""
    if refusal.kind in _KNOWN:
        return refusal
    made = GatewayUndecided() if refusal.kind in _UNDECIDED else GatewayForbidden()
    made.__cause__ = refusal
    return made
