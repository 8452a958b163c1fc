"""The ROUTES tables of audit, for the public and the internal API."""

from services.audit.routes import (
    checkpoint_delivery,
    decisions,
    events,
    exports,
    metered_usage,
    platform_log,
    proofs,
    restored_logs,
    retention,
    saved_searches,
    search,
    streams,
    tails,
    usage,
)

__all__ = ["INTERNAL_ROUTES", "ROUTES"]

ROUTES = (
    *tails.ROUTES,
    *search.ROUTES,
    *exports.ROUTES,
    *events.ROUTES,
    *metered_usage.ROUTES,
    *usage.ROUTES,
    *proofs.ROUTES,
    *checkpoint_delivery.ROUTES,
    *retention.ROUTES,
    *streams.ROUTES,
    *saved_searches.ROUTES,
)
INTERNAL_ROUTES = (*decisions.ROUTES, *restored_logs.ROUTES, *platform_log.ROUTES)
