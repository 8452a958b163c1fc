"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import evaluation, internal, metadata

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*evaluation.ROUTES, *metadata.ROUTES)
INTERNAL_ROUTES = internal.ROUTES
