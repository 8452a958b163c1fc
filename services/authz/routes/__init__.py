"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import (
    evaluation,
    evaluations,
    internal,
    metadata,
    policy_stream,
    search,
)

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *evaluation.ROUTES,
    *evaluations.ROUTES,
    *search.ROUTES,
    *metadata.ROUTES,
    *policy_stream.ROUTES,
)
INTERNAL_ROUTES = internal.ROUTES
