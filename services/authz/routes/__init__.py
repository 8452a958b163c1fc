"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import evaluation, explain, forward_auth, internal, metadata, who_can

__all__ = ["GATEWAY_ROUTES", "INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*evaluation.ROUTES, *explain.ROUTES, *who_can.ROUTES, *metadata.ROUTES)
GATEWAY_ROUTES = forward_auth.ROUTES
INTERNAL_ROUTES = internal.ROUTES
