"""The page of the design's parts, which the pages are made of; development only."""

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Outcome, PageRoute, Shown
from services.console.routes.visits import Visit

MOMENT = "2026-11-27T17:20:00Z"
ICONS = (
    *("members", "roles", "projects", "access", "tokens", "log", "usage", "settings"),
    *("chevron", "up", "down", "search", "plus", "minus", "check", "cross", "warning"),
    *("copy", "download", "link", "mail", "bell", "shield", "devices"),
)
COLOURS = (
    *("page", "card", "line", "edge", "ink", "soft", "accent", "link"),
    *("bad", "bad-back", "note-back", "good", "good-back", "warn", "warn-back", "danger", "hover"),
)


async def show(visit: Visit, form: Form) -> Outcome:
    """Show each part once."""
    shown = Form(values={"refused": "x"}, errors={"refused": "Choose a longer name."})
    words = {"icons": ICONS, "colours": COLOURS, "moment": MOMENT, "parts": shown}
    return Shown(template="design", form=form, words=words)


PAGES = (PageRoute(path=places.DESIGN, show=show),)
