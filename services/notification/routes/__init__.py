"""The ROUTES tables of notification, for the public and the internal API."""

from services.notification.routes import (
    deliveries,
    entries,
    event_types,
    internal,
    live_list,
    preferences,
    webhooks,
)
from shared.http.routes import Route

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES: tuple[Route, ...] = (
    *entries.ROUTES,
    *live_list.ROUTES,
    *preferences.ROUTES,
    *event_types.ROUTES,
    *webhooks.ROUTES,
    *deliveries.ROUTES,
)
INTERNAL_ROUTES: tuple[Route, ...] = internal.ROUTES
