"""Which routes does identity answer?"""

from services.identity.routes import internal, oauth, people

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (*people.ROUTES, *oauth.ROUTES)
INTERNAL_ROUTES = internal.ROUTES
