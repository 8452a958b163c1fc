"""The page of a signed-in user."""

from services.console.domain import places
from services.console.domain.browser_state import LinkKind
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther
from services.console.routes.person_frame import PersonFrame, open_person, together
from services.console.routes.visits import Visit

SHOWN_ACCOUNTS = 100


async def show(visit: Visit, form: Form) -> Outcome:
    """Show who is signed in, and their accounts."""
    frame: PersonFrame
    frame, listed = await together(
        open_person(visit),
        visit.call("GET", "/v1/accounts", query={"limit": str(SHOWN_ACCOUNTS)}),
    )
    return frame.shown(
        "home",
        section="your_accounts",
        form=form,
        listed=listed["items"],
        more=listed["next_cursor"] is not None,
        invited=visit.pending_link(LinkKind.INVITATION) is not None,
    )


async def submit(visit: Visit) -> Outcome:
    """Make another account the current one."""
    body = {"account_id": visit.typed.get("account_id", "")}
    visit.change_access_token(await visit.call("POST", "/v1/session/switch", body))
    return SeeOther(places.HOME)


PAGES = (PageRoute(path=places.HOME, show=show, submit=submit),)
