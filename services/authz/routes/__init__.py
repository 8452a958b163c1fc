"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import (
    evaluation,
    evaluations,
    explain,
    forward_auth,
    internal,
    metadata,
    policy_stream,
    search,
    who_can,
)

__all__ = ["GATEWAY_ROUTES", "INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *evaluation.ROUTES,
    *evaluations.ROUTES,
    *search.ROUTES,
    *explain.ROUTES,
    *who_can.ROUTES,
    *metadata.ROUTES,
    *policy_stream.ROUTES,
)
GATEWAY_ROUTES = forward_auth.ROUTES
INTERNAL_ROUTES = internal.ROUTES
