"""The routes of notification: none yet, except those of every journal."""

from shared.http.routes import Route

ROUTES: tuple[Route, ...] = ()
INTERNAL_ROUTES: tuple[Route, ...] = ()
