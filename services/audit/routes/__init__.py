"""The ROUTES tables of audit, for the public and the internal API."""

from services.audit.routes import decisions, search

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = search.ROUTES
INTERNAL_ROUTES = decisions.ROUTES
