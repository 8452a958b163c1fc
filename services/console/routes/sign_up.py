"""The pages of sign-up."""

from services.console.domain import places
from services.console.pages.rendering import Form
from services.console.routes.outcomes import Outcome, PageRoute, SeeOther, Shown
from services.console.routes.visits import Visit


async def show(visit: Visit, form: Form) -> Outcome:
    """Ask for a name and an address."""
    return Shown(template="sign_up", form=form)


async def submit(visit: Visit) -> Outcome:
    """Have a link mailed; the answer is the same for every address."""
    typed = visit.typed
    body = {"email": typed.get("email", "").strip(), "name": typed.get("name", "").strip()}
    await visit.ask("/v1/signup", body)
    return SeeOther(places.SIGN_UP_SENT)


async def show_sent(visit: Visit, form: Form) -> Outcome:
    """Say that a mail is on its way, and offer to send it again."""
    return Shown(template="sign_up_sent", form=form)


async def send_again(visit: Visit) -> Outcome:
    """Mail the link of a pending sign-up again."""
    await visit.ask("/v1/email/resend", {"email": visit.typed.get("email", "").strip()})
    return SeeOther(places.SIGN_UP_SENT)


PAGES = (
    PageRoute(path=places.SIGN_UP, show=show, submit=submit),
    PageRoute(path=places.SIGN_UP_SENT, show=show_sent, submit=send_again),
)
