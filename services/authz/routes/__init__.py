"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import evaluation, explain, internal, metadata, who_can

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*evaluation.ROUTES, *explain.ROUTES, *who_can.ROUTES, *metadata.ROUTES)
INTERNAL_ROUTES = internal.ROUTES
