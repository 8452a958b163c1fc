"""The page of a user's sessions: where they are signed in, and the end of each."""

from services.console.adapters.api import ApiRefusal, path_step
from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, with_query
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.visits import Visit

SHOWN_SESSIONS = 100
GONE = 404
"""What the API answers about a session that has ended."""
END_OTHERS = "end-others"
"""The button that ends all other sessions; in the address: the question before it."""


async def show(visit: Visit, form: Form) -> Outcome:
    """Show where the user is signed in, this browser first."""
    frame: PersonFrame
    frame, listed = await together(
        open_person(visit),
        visit.call("GET", "/v1/me/sessions", query={"limit": str(SHOWN_SESSIONS)}),
    )
    items = sorted(listed["items"], key=lambda one: not one["current"])
    words = {
        "sessions": items,
        "others": [one for one in items if not one["current"]],
        "more": listed["next_cursor"] is not None,
        "asks": visit.query.get("ask") == END_OTHERS,
    }
    return frame.shown("sessions", section="your_sessions", form=form, **words)


async def submit(visit: Visit) -> Outcome:
    """End one session, or all others."""
    if visit.typed.get("press") == END_OTHERS:
        await visit.call("DELETE", "/v1/me/sessions")
        return SeeOther(with_query(places.SESSIONS, done="sessions-ended"))
    session_id = path_step(visit.typed.get("session_id", ""))
    try:
        await visit.call("DELETE", f"/v1/me/sessions/{session_id}")
    except ApiRefusal as refusal:
        if refusal.status != GONE:
            raise
    return SeeOther(with_query(places.SESSIONS, done="session-ended"))


PAGES = (PageRoute(path=places.SESSIONS, show=show, submit=submit),)
