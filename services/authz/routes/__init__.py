"""The ROUTES tables of authz, for the public and the internal API."""

from services.authz.routes import evaluation, internal, metadata, policy_stream

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*evaluation.ROUTES, *metadata.ROUTES, *policy_stream.ROUTES)
INTERNAL_ROUTES = internal.ROUTES
