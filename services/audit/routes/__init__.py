"""The ROUTES tables of audit, for the public and the internal API."""

from services.audit.routes import decisions, events, search

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*search.ROUTES, *events.ROUTES)
INTERNAL_ROUTES = decisions.ROUTES
