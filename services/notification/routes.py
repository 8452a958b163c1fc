"""What does notification answer?

Nothing in public yet: it listens, and it sends. Its journal is read by the other services.
"""

from shared.http import Route

ROUTES: tuple[Route, ...] = ()
INTERNAL_ROUTES: tuple[Route, ...] = ()
